using System.Text.Json;
using System.Text.RegularExpressions;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>The dashboard, without Grafana: what it asks is PromQL, asks for what is reported, and it asks for everything that is.</summary>
public sealed partial class DashboardTests
{
    private static IEnumerable<(string Title, string Expression, string Legend)> Queries
        => Dashboard.Panels.SelectMany(p => p.Queries.Select(q => (p.Title, Dashboard.Sent(q.Expression), q.Legend)));

    [Fact]
    public async Task Prometheus_accepts_every_query()
    {
        using var folder = new TemporaryFolder();
        var rules = Queries.Select((q, i) => $"      - record: panel:query:{i}\n        expr: {JsonSerializer.Serialize(q.Expression)}\n").ToList();
        var run = await Promtool.CheckRulesAsync(folder.Write("panels.yaml", $"groups:\n  - name: panels\n    rules:\n{string.Concat(rules)}"));
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains($"{rules.Count} rules found", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Queries_use_what_is_reported() => Assert.Empty(Queries.SelectMany(q => Vocabulary.Mistakes(q.Expression).Select(m => $"{q.Title}: {m}")));

    [Fact]
    public void A_legend_shows_labels_that_the_query_leaves()
        => Assert.All(Queries, q => Assert.Subset(PromQl.Parse(q.Expression).Grouping.ToHashSet(), LegendLabel().Matches(q.Legend).Select(m => m.Groups[1].Value).ToHashSet()));

    [Fact]
    public void Every_query_heeds_the_variables() => Assert.All(Dashboard.Panels.SelectMany(p => p.Queries), q =>
    {
        Assert.Contains("job=~\"$job\"", q.Expression, StringComparison.Ordinal);
        Assert.True(q.Expression.Contains("instance=~\"$instance\"", StringComparison.Ordinal) || q.Expression.Contains("ALERTS", StringComparison.Ordinal), q.Expression);
        Assert.Empty(Variable().Matches(Dashboard.Sent(q.Expression)));
    });

    [Fact]
    public void Variables_are_the_data_source_job_and_instance()
    {
        var variables = Dashboard.Json.GetProperty("templating").GetProperty("list").EnumerateArray().ToList();
        Assert.Equal(["datasource", "job", "instance"], variables.Select(v => v.GetProperty("name").GetString()));
        Assert.Equal("datasource", variables[0].GetProperty("type").GetString());

        var prefixes = VariablePrefix().Match(variables[1].GetProperty("query").GetString()!).Groups[1].Value.Split('|');
        Assert.All(TelemetryTable.Instruments, i => Assert.Contains(prefixes, p => i.Prometheus.StartsWith(p + "_", StringComparison.Ordinal)));
    }

    [Fact]
    public void Everything_that_is_reported_is_shown()
    {
        var shown = Queries.SelectMany(q => PromQl.Parse(q.Expression).Selectors).Select(s => s.Metric).ToHashSet();
        Assert.All(TelemetryTable.Instruments, i => Assert.True(i.Series.Any(shown.Contains), $"{i.Prometheus} is on no panel"));
    }

    [Fact]
    public void Panels_stand_side_by_side_and_are_told_apart()
    {
        Assert.Distinct(Dashboard.Panels.Select(p => p.Id));
        Assert.All(Dashboard.Panels, p => Assert.InRange(p.Place.X + p.Place.Width, 1, 24));
        var cells = Dashboard.Panels.SelectMany(p => from x in Enumerable.Range(p.Place.X, p.Place.Width) from y in Enumerable.Range(p.Place.Y, p.Place.Height) select (x, y));
        Assert.Distinct(cells);
        Assert.All(Dashboard.Panels.Where(p => !p.IsRow), p =>
        {
            Assert.Equal("${datasource}", p.Json.GetProperty("datasource").GetProperty("uid").GetString());
            Assert.False(string.IsNullOrEmpty(p.Json.GetProperty("description").GetString()));
            Assert.NotEmpty(p.Queries);
        });
    }

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex LegendLabel();

    [GeneratedRegex(@"\$\w+")]
    private static partial Regex Variable();

    [GeneratedRegex("__name__=~\"\\(([^)]*)\\)")]
    private static partial Regex VariablePrefix();
}
