using EfConcurrency.Outbox;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A message that fails each time, and holds up the later ones of its key.</summary>
internal sealed class FailingMessage : OutboxIncident
{
    public override async Task CheckAsync(bool isActedUpon)
    {
        var lag = await LagAsync();
        Assert.Equal(isActedUpon ? (0, 1) : (1, 0), (lag.Retrying, lag.Dead));
    }

    protected override async Task StageAsync()
    {
        await StageAsync(static () => new(SendStatus.Retry, TimeSpan.FromHours(1), new InvalidOperationException("The account is unknown.")), lag => lag.Retrying == 1);
        Signs["outbox list --waiting --sink SINK"] = "The account is unknown.";
    }
}
