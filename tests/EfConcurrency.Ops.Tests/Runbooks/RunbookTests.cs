namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>
/// Each page's commands, run by the tool as it was built, against the incident that the page is for. A command that an earlier page of the class has run on the same
/// incident, after the same commands that change something, is not run again: processes are slow to start.
/// </summary>
public abstract class RunbookTests(IncidentDatabases databases)
{
    private protected async Task FollowAsync(string name, Func<Incident> create)
    {
        var page = Runbook.Read(name);
        await using var incident = create();
        var steps = Keyed(page, incident).ToList();
        if (steps.All(s => databases.WasRun(s.Key)))
        {
            return;
        }

        await using var database = await databases.CreateAsync();
        await incident.StageAsync(database);
        var lasts = true;
        foreach (var (step, key) in steps)
        {
            lasts &= !step.ChangesSomething;
            if (step.IsRepair)
            {
                await incident.RepairAsync();
            }
            else if (step.ChangesSomething || !databases.WasRun(key))
            {
                await RunAsync(step, incident, lasts);
            }

            databases.HasRun(key);
        }

        await incident.CheckAsync(steps.Any(s => s.Step is { ChangesSomething: true, IsRepair: false }));
    }

    /// <summary>A step, with all that made its database what it is; what is only explained, or is about the server, is the same in all of them.</summary>
    private static IEnumerable<(Runbook.Step Step, string Key)> Keyed(Runbook page, Incident incident)
    {
        var past = incident.GetType().Name;
        foreach (var step in page.Steps)
        {
            var where = step.Arguments is ["doctor" or "explain", ..] ? "" : past;
            var key = $"{where}: {(step.IsRepair ? "repair" : step)} {string.Join(' ', step.ExitCodes)}";
            past = step.ChangesSomething ? key : past;
            yield return (step, key);
        }
    }

    private static async Task RunAsync(Runbook.Step step, Incident incident, bool lasts)
    {
        var run = await Efc.RunAsync(incident.ConnectionString, step.With(incident.Names));
        var told = $"$ efc {step}{Environment.NewLine}{run}";
        TestContext.Current.TestOutputHelper?.WriteLine(told);
        Assert.True(step.ExitCodes.Contains(run.ExitCode), told);
        if (incident.Signs.TryGetValue(step.ToString(), out var sign))
        {
            Assert.True(run.Output.Contains(sign, StringComparison.Ordinal) == lasts, $"{(lasts ? "Expected" : "Did not expect")} '{sign}':{Environment.NewLine}{told}");
        }
    }
}
