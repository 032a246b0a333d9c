using System.Text.RegularExpressions;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>The alerts, checked and tried by Prometheus' own tool.</summary>
public sealed partial class RuleTests
{
    /// <summary>Nothing must be added to it; see docs/operations.md for how it is replaced.</summary>
    private const string RunbookBase = "https://efconcurrency.example/runbooks/";

    public static TheoryData<string> Alerts => [.. RuleFile.AlertNames];

    [Fact]
    public async Task Prometheus_accepts_the_rules()
    {
        var run = await Promtool.CheckRulesAsync(Repository.PathOf(Repository.Rules));
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains($"{RuleFile.Rules.Count} rules found", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Alerts))]
    public async Task An_alert_fires_not_just_below_and_ends(string alert)
    {
        var file = $"{Repository.RuleTests}/{alert}.yaml";
        var run = await Promtool.TestRulesAsync(Repository.PathOf(file));
        Assert.True(run.ExitCode == 0, run.ToString());

        var cases = Cases(Repository.Read(file));
        Assert.Contains(cases, c => c.Name.StartsWith("fires", StringComparison.Ordinal) && c.Text.Contains("exp_alerts:", StringComparison.Ordinal));
        Assert.Contains(cases, c => c.Name == "does not fire just below" && !c.Text.Contains("exp_alerts:", StringComparison.Ordinal));
        Assert.Contains(cases, c => c.Name == "ends" && !c.Text.Contains("exp_alerts:", StringComparison.Ordinal));
        Assert.All(cases, c => Assert.Contains($"alertname: {alert}\n", c.Text, StringComparison.Ordinal));
    }

    /// <summary>The cases themselves: they notice an alert that never fires, and one that always does.</summary>
    [Theory]
    [MemberData(nameof(Alerts))]
    public async Task The_cases_of_an_alert_notice_when_it_is_broken(string alert)
    {
        using var folder = new TemporaryFolder();
        var cases = Repository.Read($"{Repository.RuleTests}/{alert}.yaml");
        folder.Write("efconcurrency.rules.yaml", RuleFile.With(alert, "vector(0) > 1"));
        Assert.Equal(1, (await Promtool.TestRulesAsync(folder.Write("tests/cases.yaml", cases))).ExitCode);

        folder.Write("efconcurrency.rules.yaml", RuleFile.With(alert, "vector(1)"));
        var head = cases[..cases.IndexOf("  - name:", StringComparison.Ordinal)];
        foreach (var quiet in Cases(cases).Where(c => !c.Name.StartsWith("fires", StringComparison.Ordinal)))
        {
            Assert.Equal(1, (await Promtool.TestRulesAsync(folder.Write("tests/cases.yaml", head + quiet.Text))).ExitCode);
        }
    }

    [Fact]
    public void Every_alert_has_cases_and_a_runbook_and_there_are_no_others()
    {
        Assert.Equal(RuleFile.AlertNames, Repository.Names(Repository.RuleTests, "*.yaml"));
        Assert.Equal(RuleFile.AlertNames, Repository.Names(Repository.Runbooks, "*.md"));
        var page = Repository.Read("docs/operations.md");
        Assert.Equal(RuleFile.AlertNames, ListedAlert().Matches(page).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal));
        Assert.All(
            RuleFile.Alerts,
            a => Assert.Contains(a["severity"]!, ListedAlert().Matches(page).Single(m => m.Groups["name"].Value == a.Name).Groups["severity"].Value, StringComparison.Ordinal));
    }

    [Fact]
    public void An_alert_says_how_bad_it_is_what_it_means_and_what_to_do() => Assert.All(RuleFile.Alerts, alert =>
    {
        Assert.Matches(@"\AEfConcurrency([A-Z][a-z]+)+\z", alert.Name);
        Assert.Contains(alert["severity"], (string[])["critical", "warning", "info"]);
        Assert.NotNull(alert["summary"]);
        Assert.NotNull(alert["description"]);
        Assert.Equal($"{RunbookBase}{alert.Name}.md", alert["runbook_url"]);
    });

    [Fact]
    public void Rules_use_what_is_reported() => Assert.Empty(RuleFile.Rules.SelectMany(r => Vocabulary.Mistakes(r.Expression).Select(m => $"{r.Name}: {m}")));

    /// <summary>Groups are evaluated side by side: what is recorded in another one may be a minute old.</summary>
    [Fact]
    public void What_is_recorded_is_used_by_alerts_further_down_in_its_group() => Assert.All(
        RuleFile.Rules.Index().Where(r => !r.Item.IsAlert),
        recorded =>
        {
            var users = RuleFile.Rules.Index().Where(r => PromQl.Parse(r.Item.Expression).Selectors.Any(s => s.Metric == recorded.Item.Name)).ToList();
            Assert.NotEmpty(users);
            Assert.All(users, u => Assert.True(u.Item.Group == recorded.Item.Group && u.Index > recorded.Index, $"{u.Item.Name} uses {recorded.Item.Name}"));
        });

    [Theory]
    [InlineData("sum by (job) (rate(efconcurrency_conflicts_total[5m])) > 0", null)]
    [InlineData("sum by (job) (rate(efconcurrency_conflict_total[5m])) > 0", "efconcurrency_conflict_total is not reported")]
    [InlineData("efconcurrency_conflicts_total{entity=\"x\"}", "efconcurrency_conflicts_total has no label entity")]
    [InlineData("efconcurrency_retry_units_total{efconcurrency_outcome=~\"exhausted|lost\"}", "efconcurrency_retry_units_total has no efconcurrency_outcome lost")]
    [InlineData("max by (sink) (efconcurrency_outbox_lanes offset 5m)", "nothing has a label sink")]
    [InlineData("distributed_lock_hold_duration_seconds", "distributed_lock_hold_duration_seconds is not reported")]
    [InlineData("a:b:c unless on (job) efconcurrency_lease_held", "a:b:c is not reported")]
    public void What_nobody_reports_is_found(string expression, string? mistake)
        => Assert.Equal(mistake is null ? [] : [mistake], Vocabulary.Mistakes(expression));

    private static List<(string Name, string Text)> Cases(string file)
        => [.. Case().Matches(file).Select(m => (m.Groups["name"].Value, m.Value))];

    [GeneratedRegex(@"^  - name: (?<name>.+)\n(?:    .*\n)+", RegexOptions.Multiline)]
    private static partial Regex Case();

    [GeneratedRegex(@"^\| \[(?<name>\w+)\]\(runbooks/\k<name>\.md\) \| (?<severity>[\w, ]+) \|", RegexOptions.Multiline)]
    private static partial Regex ListedAlert();
}
