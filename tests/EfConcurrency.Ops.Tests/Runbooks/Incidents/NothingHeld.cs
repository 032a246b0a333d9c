namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>It is over by the time that somebody looks: the page only asks, and the tool answers on a healthy database.</summary>
internal sealed class NothingHeld : Incident
{
    protected override Task StageAsync() => Task.CompletedTask;
}
