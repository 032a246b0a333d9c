namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>The processes with the dispatcher are gone: nobody sends, and nobody complains.</summary>
internal sealed class UnservedOutbox : OutboxIncident
{
    public override async Task RepairAsync()
    {
        Transport.Answer = static () => Outbox.SendResult.Ok;
        await StartDispatcherAsync();
        await UntilDeliveredAsync();
    }

    public override async Task CheckAsync(bool isActedUpon) => Assert.Equal(0, (await LagAsync()).Dead);

    protected override async Task StageAsync()
    {
        Signs["outbox list --sink SINK"] = "0 of 2";
        await StageAsync(static () => throw new IOException("The process is about to end."), lag => lag.Undelivered == 1);
        await StopDispatcherAsync();
    }
}
