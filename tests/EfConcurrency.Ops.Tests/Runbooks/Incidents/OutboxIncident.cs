using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>An outbox with messages that a transport does not take.</summary>
internal abstract class OutboxIncident : Incident
{
    private Dispatching? _dispatching;

    protected Transport Transport { get; } = new();

    protected Guid MessageId { get; private set; }

    protected override async Task EndAsync()
    {
        if (_dispatching is not null)
        {
            await _dispatching.DisposeAsync();
        }
    }

    /// <summary>A message of ten minutes ago, and a dispatcher that has tried it.</summary>
    protected async Task StageAsync(Func<SendResult> answer, Func<OutboxLag, bool> isStaged)
    {
        Transport.Answer = answer;
        await using var shop = Open();
        MessageId = shop.Outbox().Enqueue(new OrderPlaced("order-1"), key: "order-1");
        await shop.SaveChangesAsync(Token);
        await shop.Database.ExecuteSqlAsync($"update efc.outbox set created_at = created_at - interval '10 minutes'", Token);
        (Names["SINK"], Names["MESSAGE-ID"], Names["CONSUMER"]) = (Transport.Sink, MessageId.ToString(), "billing");
        _dispatching = await Dispatching.StartAsync(ConnectionString, Transport, o =>
        {
            (o.RetryDelay, o.MaxRetryDelay, o.MaxAttempts) = (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100), int.MaxValue);
            o.LeaseLength = TimeSpan.FromSeconds(3);
        });
        await UntilAsync(async () => isStaged(await LagAsync()));
    }

    protected async Task<OutboxLag> LagAsync()
    {
        await using var shop = Open();
        return await shop.OutboxAdmin().GetLagAsync(Transport.Sink, Token);
    }

    protected Task UntilDeliveredAsync() => UntilAsync(async () => await LagAsync() is { Undelivered: 0, Retrying: 0, Dead: 0 });
}
