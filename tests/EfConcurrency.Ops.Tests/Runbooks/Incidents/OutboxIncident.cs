using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>An outbox with a message that is not delivered.</summary>
internal abstract class OutboxIncident : Incident
{
    private Dispatching? _dispatching;

    protected Transport Transport { get; } = new();

    /// <summary>A message of ten minutes ago, and a dispatcher that has tried it.</summary>
    protected async Task StageAsync(Func<SendResult> answer, Func<OutboxLag, bool> isStaged)
    {
        Transport.Answer = answer;
        await using var shop = Open();
        var id = shop.Outbox().Enqueue(new OrderPlaced("order-1"), key: "order-1");
        await shop.SaveChangesAsync(Token);
        await shop.Database.ExecuteSqlAsync($"update efc.outbox set created_at = created_at - interval '10 minutes'", Token);
        (Names["SINK"], Names["MESSAGE-ID"], Names["CONSUMER"]) = (Transport.Sink, id.ToString(), "billing");
        Signs["status"] = "attention";
        await StartDispatcherAsync();
        await UntilAsync(async () => isStaged(await LagAsync()));
    }

    protected async Task StartDispatcherAsync() => _dispatching = await Dispatching.StartAsync(ConnectionString, Transport, o =>
    {
        (o.RetryDelay, o.MaxRetryDelay, o.MaxAttempts) = (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100), 1_000_000);
        o.LeaseLength = TimeSpan.FromSeconds(3);
    });

    protected async Task StopDispatcherAsync()
    {
        if (_dispatching is not null)
        {
            await _dispatching.DisposeAsync();
            _dispatching = null;
        }
    }

    protected async Task<OutboxLag> LagAsync()
    {
        await using var shop = Open();
        return await shop.OutboxAdmin().GetLagAsync(Transport.Sink, Token);
    }

    /// <summary>What the dispatchers say that their transport fails with.</summary>
    protected async Task<bool> IsDownAsync()
    {
        await using var shop = Open();
        return (await shop.OutboxAdmin().ListSinksAsync(Token)).SelectMany(s => s.Dispatchers).Any(d => d.Failure is not null);
    }

    protected Task UntilDeliveredAsync() => UntilAsync(async () => await LagAsync() is { Undelivered: 0, Retrying: 0, Dead: 0 } && !await IsDownAsync());

    protected override Task EndAsync() => StopDispatcherAsync();
}
