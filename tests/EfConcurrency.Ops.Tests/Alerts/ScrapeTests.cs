using System.Text.RegularExpressions;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>A sample as it runs, scraped as Prometheus would: names and labels are those that rules and dashboard ask for.</summary>
public sealed partial class ScrapeTests(PaymentsServer payments) : IClassFixture<PaymentsServer>
{
    /// <summary>The rooms that the sample uses, by the beginning of their series' names.</summary>
    private static readonly string[] Rooms = ["efconcurrency_retry_", "efconcurrency_idempotency_", "efconcurrency_inbox_duplicates_"];

    /// <summary>A counter is reported from its first event on, and these did not happen.</summary>
    private static readonly string[] DidNotHappen = ["efconcurrency_retry_attempts_total", "efconcurrency_idempotency_expired_total"];

    [Fact]
    public async Task What_rules_and_dashboard_ask_for_is_scraped_under_that_name_with_those_labels()
    {
        await payments.WithdrawAsync("key-1", times: 2);
        await payments.PayInAsync("evt_1", times: 2);
        var scrape = await payments.ScrapeAsync();
        var series = Series(scrape);

        var asked = RuleFile.Rules.Select(r => r.Expression).Concat(Dashboard.Panels.SelectMany(p => p.Queries).Select(q => Dashboard.Sent(q.Expression)))
            .SelectMany(e => PromQl.Parse(e).Selectors)
            .Where(s => Rooms.Any(r => s.Metric.StartsWith(r, StringComparison.Ordinal)) && !DidNotHappen.Contains(s.Metric))
            .ToList();
        Assert.Equal(
            ["efconcurrency_idempotency_requests_total", "efconcurrency_idempotency_stuck", "efconcurrency_inbox_duplicates_total", "efconcurrency_retry_units_total"],
            asked.Select(s => s.Metric).Distinct().Order(StringComparer.Ordinal));
        foreach (var selector in asked)
        {
            var labels = Assert.Contains(selector.Metric, (IDictionary<string, HashSet<string>>)series);
            Assert.All(TelemetryTable.Series[selector.Metric].Labels.Keys.Where(l => l != "error_type"), l => Assert.Contains(l, labels));
        }

        // What else it reports of ours is in the table too.
        Assert.All(series.Keys.Where(s => s.StartsWith("efconcurrency_", StringComparison.Ordinal)), s => Assert.Contains(s, TelemetryTable.Series));
        Assert.Contains("efconcurrency_outcome=\"replayed\"", scrape, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prometheus_accepts_the_scrape_and_finds_our_names_good()
    {
        await payments.WithdrawAsync("key-2", times: 1);
        var run = await Promtool.CheckMetricsAsync(await payments.ScrapeAsync());
        Assert.True(run.ExitCode is 0 or 3, run.ToString());
        Assert.DoesNotContain("efconcurrency_", run.Output + run.Error, StringComparison.Ordinal);
    }

    /// <summary>Names of the series, and of the labels that one of them has at least.</summary>
    private static Dictionary<string, HashSet<string>> Series(string scrape)
        => Sample().Matches(scrape).GroupBy(m => m.Groups["name"].Value, StringComparer.Ordinal).ToDictionary(
            g => g.Key,
            g => g.SelectMany(m => m.Groups["label"].Captures).Select(c => c.Value).ToHashSet(StringComparer.Ordinal),
            StringComparer.Ordinal);

    [GeneratedRegex("""^(?<name>[a-z_]+)\{(?:(?<label>\w+)="(?:\\.|[^"\\])*",?)*\} """, RegexOptions.Multiline)]
    private static partial Regex Sample();
}
