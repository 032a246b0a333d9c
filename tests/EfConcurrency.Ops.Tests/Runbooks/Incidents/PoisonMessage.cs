using EfConcurrency.Outbox;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A message that was refused for good: a dead letter. By the time somebody acts its receiver can take it.</summary>
internal sealed class PoisonMessage : OutboxIncident
{
    public override async Task CheckAsync(bool isActedUpon)
    {
        if (isActedUpon)
        {
            await UntilDeliveredAsync();
        }
        else
        {
            Assert.Equal(1, (await LagAsync()).Dead);
        }
    }

    protected override async Task StageAsync()
    {
        await StageAsync(static () => new(SendStatus.Reject, Error: new InvalidOperationException("No queue is bound.")), lag => lag.Dead == 1);
        Transport.Answer = static () => SendResult.Ok;
        Signs["outbox list --dead --sink SINK"] = Names["MESSAGE-ID"];
    }
}
