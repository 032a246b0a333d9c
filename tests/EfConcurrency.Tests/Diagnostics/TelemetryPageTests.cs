using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using EfConcurrency.Diagnostics;
using EfConcurrency.Tests.Habits;
using Microsoft.Extensions.Logging;
using Samples.Telemetry;

namespace EfConcurrency.Tests.Diagnostics;

/// <summary>docs/telemetry.md says what the code does, and all of it: names are what dashboards and alerts are built on.</summary>
public sealed partial class TelemetryPageTests
{
    private static readonly TelemetryPage Page = TelemetryPage.Read();

    [Fact]
    public void The_page_lists_all_instruments_with_kind_unit_and_Prometheus_name()
        => Same(
            "Instruments",
            Page.Instruments.Select(i => $"{i.Name} {i.Kind} {i.Unit} {i.Prometheus}"),
            TelemetryTour.Instruments().Select(i => $"{i.Name} {Kind(i)} {i.Unit} {PrometheusName.OfMetric(i.Name, i.Unit ?? "", Kind(i) == "counter", Kind(i) == "gauge")}"));

    [Fact]
    public void Every_measurement_has_the_tags_of_the_page_and_every_tag_of_the_page_is_measured()
    {
        var tour = new TelemetryTour(Page);
        Habit.Holds("The tour calls every public method of every meter class.", tour.Missed);
        var measured = tour.Run();
        Habit.Holds("A measurement is as the page says.", measured.SelectMany(m => Page.Violations(m.Instrument, m.Tags)));
        Habit.Holds(
            "What the page says is measured: each instrument, each tag, each value; and what may be missing is missing somewhere.",
            from row in Page.Instruments
            let all = measured.Where(m => m.Instrument == row.Name).Select(m => m.Tags.ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal)).ToList()
            from violation in (string[])
            [
                .. all.Count == 0 ? [$"{row.Name} is never measured"] : Array.Empty<string>(),
                .. row.Tags.Where(t => all.All(m => !m.ContainsKey(t.Name))).Select(t => $"{row.Name} never has {t.Name}"),
                .. row.Tags.Where(t => t.IsOptional && all.All(m => m.ContainsKey(t.Name))).Select(t => $"{row.Name} always has {t.Name}"),
                .. row.Tags.SelectMany(t => t.Values.Where(v => all.All(m => !Equals(m.GetValueOrDefault(t.Name), v))).Select(v => $"{row.Name} never has {t.Name} = {v}")),
            ]
            select violation);
    }

    [Fact]
    public void The_words_of_the_page_are_those_of_the_code()
    {
        var files = SourceTree.CSharp("src").Select(f => CSharpText.Of(f.Text)).ToList();
        var literals = files.SelectMany(f => f.Literals).Select(l => l.Text).ToHashSet(StringComparer.Ordinal);
        var words = Page.Instruments.SelectMany(i => i.Tags).SelectMany(t => t.Values).ToHashSet();
        Habit.Holds("A value of a tag stands in the code.", words.Where(w => !literals.Contains(w!)).Select(w => $"{w} is nowhere in src"));
        Habit.Holds(
            "A value that is given to a meter stands on the page.",
            from file in SourceTree.CSharp("src")
            from call in Call().Matches(file.Text).Select(m => m.Value)
            from word in Word().Matches(call).Select(m => m.Groups[1].Value)
            where !words.Contains(word)
            select $"{file.Path}: {word} in {call}");
    }

    [Fact]
    public void Durations_have_boundaries_that_fit_seconds()
        => Habit.Holds(
            "A histogram has the boundaries of its unit: an SDK's own are made for milliseconds.",
            from instrument in TelemetryTour.Instruments()
            where instrument.GetType().GetGenericTypeDefinition() == typeof(Histogram<>)
            let boundaries = instrument switch { Histogram<double> d => d.Advice?.HistogramBucketBoundaries?.Select(b => b), Histogram<long> l => l.Advice?.HistogramBucketBoundaries?.Select(b => (double)b), _ => null }
            where boundaries is null || (instrument.Unit == "s" && !((double[])[.1, .5, 1]).All(boundaries.Contains))
            select instrument.Name);

    [Fact]
    public void The_page_explains_all_tags()
    {
        Same("Tags of metrics", Page.TagNames, Page.Instruments.SelectMany(i => i.Tags).Select(t => t.Name).Distinct());
        Same("Tags of spans only", Page.SpanTagNames, Page.Spans.SelectMany(s => s.Tags).Select(t => t.Name).Distinct().Except(Page.TagNames));
        Habit.Holds(
            "A tag of TagNames is on the page.",
            Constants<string>(typeof(TagNames)).Select(c => c.Value).Except([.. Page.TagNames, .. Page.SpanTagNames]));
        Habit.Holds("What names one thing among many is on spans only.", Page.TagNames.Where(t => t.EndsWith(".id", StringComparison.Ordinal) || t is TagNames.Resource));
    }

    [Fact]
    public void The_page_lists_all_spans()
    {
        Same("Spans", Page.Spans.Select(s => s.Name).Where(n => !n.Contains(' ', StringComparison.Ordinal)), Constants<string>(typeof(SpanNames)).Select(c => c.Value));
        var started = SourceTree.CSharp("src").SelectMany(f => Started().Matches(f.Text)).Select(m => m.Groups[1].Value).ToList();
        Same(
            "Spans about messages",
            Page.Spans.Select(s => s.Name).Where(n => n.Contains(' ', StringComparison.Ordinal)).Select((n, i) => n.Split(' ')[0]).Order(),
            started.Where(s => s.StartsWith("$\"", StringComparison.Ordinal)).Select(s => s[2..].Split(' ')[0]).Order());
        Habit.Holds("Other spans are named in SpanNames.", started.Where(s => s.StartsWith('"')));
    }

    [Fact]
    public void The_page_lists_all_log_events()
    {
        var messages = Habit.Assemblies.SelectMany(a => a.GetTypes())
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>().ToList();
        Same(
            "Log events",
            Page.Events.Select(e => $"{e.Id} {e.Level} {e.Name} {e.Message}"),
            messages.Select(m => $"{m.EventId} {m.Level.ToString().ToLowerInvariant()} {m.EventName} {m.Message}"));
        var ids = Habit.Assemblies.SelectMany(a => a.GetTypes()).Where(t => t.Name.EndsWith("EventIds", StringComparison.Ordinal)).SelectMany(Constants<int>);
        Habit.Holds("An event id is of an event that is logged.", ids.Where(i => messages.All(m => m.EventId != i.Value)).Select(i => $"{i.Name} = {i.Value.ToString(CultureInfo.InvariantCulture)}"));
    }

    [Fact]
    public void A_page_that_differs_is_found()
    {
        var page = TelemetryPage.Of(
            """
            # Telemetry
            ## Metrics
            | instrument | kind | unit | tags | Prometheus | tells |
            |---|---|---|---|---|---|
            | `efconcurrency.retry.units` | counter | `{unit}` | `efconcurrency.outcome` (committed, failed), [`error.type`] | `efconcurrency_retry_units_total` | units |
            ## Tags
            On spans only: none.
            ## Spans
            None.
            ## Log events
            | 60000 | debug | `A.B` | text |
            """.ReplaceLineEndings("\n"));
        Assert.Equal(60000, page.Events.Single().Id);
        Assert.Empty(page.Violations("efconcurrency.retry.units", [new("efconcurrency.outcome", "failed"), new("error.type", "X")]));
        Assert.Empty(page.Violations("efconcurrency.retry.units", [new("efconcurrency.outcome", "committed")]));
        Assert.Single(page.Violations("efconcurrency.retry.units", [new("efconcurrency.outcome", "gone")]));
        Assert.Single(page.Violations("efconcurrency.retry.units", []));
        Assert.Single(page.Violations("efconcurrency.retry.units", [new("efconcurrency.outcome", "failed"), new("key", 1)]));
        Assert.Single(page.Violations("efconcurrency.retry.unit", []));
    }

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "ObservableGauge" or "Gauge" => "gauge",
        "ObservableCounter" => "counter",
        "ObservableUpDownCounter" => "updowncounter",
        var name => name.ToLowerInvariant(),
    };

    private static IEnumerable<(string Name, T Value)> Constants<T>(Type type)
        => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Where(f => f.IsLiteral).Select(f => (f.Name, (T)f.GetRawConstantValue()!));

    /// <summary>Compares both ways; duplicates count.</summary>
    private static void Same(string what, IEnumerable<string> page, IEnumerable<string> code)
    {
        var (onPage, inCode) = (page.ToList(), code.ToList());
        Habit.Holds(
            $"{what}: {TelemetryPage.File} and the code agree.",
            [
                .. inCode.Except(onPage).Select(c => $"only in the code: {c}"),
                .. onPage.Except(inCode).Select(p => $"only on the page: {p}"),
                .. onPage.GroupBy(p => p).Where(g => g.Count() != inCode.Count(c => c == g.Key) && inCode.Contains(g.Key)).Select(g => $"{g.Count()} times on the page: {g.Key}"),
            ]);
    }

    /// <summary>A call of a meter class, to the end of the statement.</summary>
    [GeneratedRegex(@"\b(?:Versioning|AdvisoryLocks|RowLocks|Fencing|Idempotency|JobSlots|Lease|OutboxEnqueue|Outbox|Inbox|RabbitMq)Meter\.[A-Z]\w+\([^;]*;")]
    private static partial Regex Call();

    [GeneratedRegex("(?<!\\$)\"([a-z_]+)\"")]
    private static partial Regex Word();

    /// <summary>What a span is named by, where it is started.</summary>
    [GeneratedRegex(@"\bStartActivity\(\s*(\$?""[^""]*""|[\w.]+)")]
    private static partial Regex Started();
}
