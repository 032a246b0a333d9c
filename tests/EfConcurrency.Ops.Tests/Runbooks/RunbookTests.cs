using EfConcurrency.Ops.Tests.Alerts;
using EfConcurrency.Ops.Tests.Runbooks.Incidents;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>Each page's commands, run by the tool as it was built, against the incident that the page is for.</summary>
public sealed class RunbookTests(IncidentDatabases databases) : IClassFixture<IncidentDatabases>
{
    private static readonly Dictionary<string, Func<Incident>> Incidents = new(StringComparer.Ordinal)
    {
        ["EfConcurrencyCommitOutcomeUnknown"] = static () => new NothingHeld(),
        ["EfConcurrencyIdempotencyClaimsLost"] = static () => new StuckKey(),
        ["EfConcurrencyIdempotencyNeedsResolution"] = static () => new StuckKey(),
        ["EfConcurrencyIdempotencyStuck"] = static () => new StuckKey(),
        ["EfConcurrencyInboxFailing"] = static () => new FailingMessage(),
        ["EfConcurrencyInboxMessagesRejected"] = static () => new PoisonMessage(),
        ["EfConcurrencyJobSlotLate"] = static () => new LateSlot(),
        ["EfConcurrencyLeaderMissing"] = static () => new OrphanedLease(),
        ["EfConcurrencyLeasesLost"] = static () => new OrphanedLease(),
        ["EfConcurrencyLockHeldTooLong"] = static () => new HeldLock(),
        ["EfConcurrencyLockStuck"] = static () => new HeldLock(),
        ["EfConcurrencyLockTimeoutsHigh"] = static () => new HeldLock(),
        ["EfConcurrencyOutboxDeadLetters"] = static () => new PoisonMessage(),
        ["EfConcurrencyOutboxLagHigh"] = static () => new StuckOutbox(),
        ["EfConcurrencyOutboxNotServed"] = static () => new UnservedOutbox(),
        ["EfConcurrencyOutboxTransportDown"] = static () => new StuckOutbox(),
        ["EfConcurrencyRabbitMqDeadLetters"] = static () => new PoisonMessage(),
        ["EfConcurrencyRabbitMqDisconnected"] = static () => new StuckOutbox(),
        ["EfConcurrencyRetriesExhausted"] = static () => new NothingHeld(),
        ["EfConcurrencySessionLockLost"] = static () => new HeldLock(),
        ["EfConcurrencyStaleFencingTokenRejected"] = static () => new OrphanedLease(),
    };

    public static TheoryData<string> Pages => [.. Repository.Names(Repository.Runbooks, "*.md")];

    /// <summary>A question that an earlier page has asked of the same incident is not asked again: processes are slow to start.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public async Task The_commands_of_a_page_do_what_it_says(string name)
    {
        var page = Runbook.Read(name);
        await using var database = await databases.CreateAsync();
        await using var incident = Assert.Contains(name, Incidents)();
        await incident.StageAsync(database);
        var lasts = true;
        foreach (var step in page.Steps)
        {
            lasts &= !step.ChangesSomething;
            if (step.IsRepair)
            {
                await incident.RepairAsync();
            }
            else if (!lasts || databases.IsNew($"{incident.GetType().Name}: {step}"))
            {
                await RunAsync(step, incident, lasts);
            }
        }

        await incident.CheckAsync(page.Steps.Any(s => s.ChangesSomething && !s.IsRepair));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_can_be_read_at_night(string name)
    {
        var page = Runbook.Read(name);
        Assert.StartsWith($"# {name}\n\n", page.Text, StringComparison.Ordinal);
        Assert.InRange(page.Text.Split('\n').Length, 20, 70);
        Assert.Contains("\n**You notice:** ", page.Text, StringComparison.Ordinal);
        Assert.Contains("\n**Urgent?** ", page.Text, StringComparison.Ordinal);
        var sections = page.Text.Split('\n').Where(l => l.StartsWith("## ", StringComparison.Ordinal)).Select(l => l[3..]);
        Assert.Equal(Runbook.Sections, sections);
        Assert.NotEmpty(page.Steps);
        AssertDryRunsComeFirst(page);
    }

    [Fact]
    public async Task Pages_name_verbs_that_there_are()
    {
        var verbs = Pages.SelectMany(p => Runbook.Read((string)p.Data).Verbs).Distinct().ToList();
        Assert.NotEmpty(verbs);
        foreach (var verb in verbs)
        {
            var run = await Efc.RunAsync(null, [.. verb.Split(' '), "--help"]);
            Assert.True(run.ExitCode == 0, $"efc {verb}: {run}");
            Assert.Contains($"efc {verb}", run.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_alert_is_staged() => Assert.Equal(RuleFile.AlertNames, Incidents.Keys.Order(StringComparer.Ordinal));

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

    /// <summary>Whoever follows a page sees what a command would do before doing it, and says why.</summary>
    private static void AssertDryRunsComeFirst(Runbook page)
    {
        for (var i = 0; i < page.Steps.Count; i++)
        {
            if (page.Steps[i] is { IsRepair: false, ChangesSomething: true })
            {
                Assert.Contains("--reason", page.Steps[i].Arguments);
                Assert.Contains("--dry-run", page.Steps[i - 1].Arguments);
                Assert.Equal(page.Steps[i - 1].Arguments.Take(3), page.Steps[i].Arguments.Take(3));
            }
        }
    }
}
