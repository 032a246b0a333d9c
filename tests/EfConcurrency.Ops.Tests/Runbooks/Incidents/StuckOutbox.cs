using EfConcurrency.Outbox;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>The broker is down: everything waits.</summary>
internal sealed class StuckOutbox : OutboxIncident
{
    public override async Task RepairAsync()
    {
        Transport.Answer = static () => SendResult.Ok;
        await UntilDeliveredAsync();
    }

    /// <summary>Nothing was lost on the way.</summary>
    public override async Task CheckAsync(bool isActedUpon) => Assert.Equal(0, (await LagAsync()).Dead);

    protected override Task StageAsync()
        => StageAsync(static () => throw new IOException("The broker is down."), lag => lag.Undelivered == 1);
}
