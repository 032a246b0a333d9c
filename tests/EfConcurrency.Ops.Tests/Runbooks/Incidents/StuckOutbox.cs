namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>The broker is down: everything waits.</summary>
internal sealed class StuckOutbox : OutboxIncident
{
    public override Task RepairAsync()
    {
        Transport.Answer = static () => Outbox.SendResult.Ok;
        return UntilDeliveredAsync();
    }

    /// <summary>Nothing was counted against a message.</summary>
    public override async Task CheckAsync(bool isActedUpon) => Assert.Equal(0, (await LagAsync()).Dead);

    protected override async Task StageAsync()
    {
        Signs["outbox list --sink SINK"] = "The broker is down.";
        await StageAsync(static () => throw new IOException("The broker is down."), lag => lag.Undelivered == 1);
        await UntilAsync(IsDownAsync);
    }
}
