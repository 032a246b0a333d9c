using EfConcurrency.Ops.Tests.Alerts;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>The pages as they are read: short, all of one form, and of verbs that there are.</summary>
public sealed class PageTests
{
    public static TheoryData<string> Pages => [.. Repository.Names(Repository.Runbooks, "*.md")];

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
    public async Task A_page_is_inside_of_the_tool()
    {
        var run = await Efc.RunAsync(null, "explain", RuleFile.AlertNames[0]);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains("## Look", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_alert_is_staged()
        => Assert.Equal(RuleFile.AlertNames, WorkRunbookTests.Incidents.Keys.Concat(MessageRunbookTests.Incidents.Keys).Order(StringComparer.Ordinal));

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
