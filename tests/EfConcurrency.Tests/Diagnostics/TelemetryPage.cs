using System.Text.RegularExpressions;
using EfConcurrency.Tests.Habits;

namespace EfConcurrency.Tests.Diagnostics;

/// <summary>docs/telemetry.md, read.</summary>
internal sealed partial class TelemetryPage
{
    public const string File = "docs/telemetry.md";

    private TelemetryPage(string text)
    {
        Instruments = [.. Rows(text, "Metrics", columns: 6).Select(r => new Instrument(Name(r[0]), r[1], Name(r[2]), Tags(r[3]), Name(r[4])))];
        TagNames = [.. Rows(text, "Tags", columns: 2).Select(r => Name(r[0]))];
        SpanTagNames = [.. Code().Matches(Section(text, "Tags").Split("On spans only:")[1]).Select(m => m.Groups[1].Value)];
        Spans = [.. Rows(text, "Spans", columns: 4).Select(r => new Span(Name(r[0]), r[1], Tags(r[2])))];
        Events = [.. Rows(text, "Log events", columns: 4).Select(r => new Event(int.Parse(r[0], System.Globalization.CultureInfo.InvariantCulture), r[1], Name(r[2]), r[3]))];
    }

    public IReadOnlyList<Instrument> Instruments { get; }

    /// <summary>Those that the page explains.</summary>
    public IReadOnlyList<string> TagNames { get; }

    public IReadOnlyList<string> SpanTagNames { get; }

    public IReadOnlyList<Span> Spans { get; }

    public IReadOnlyList<Event> Events { get; }

    public static TelemetryPage Read() => new(SourceTree.Read(File).Text.ReplaceLineEndings("\n"));

    public static TelemetryPage Of(string text) => new(text);

    /// <summary>What is wrong with a measurement: an instrument, a tag or a value that the page does not know, or a tag that is missing.</summary>
    public IEnumerable<string> Violations(string instrument, IEnumerable<KeyValuePair<string, object?>> tags)
        => Instruments.FirstOrDefault(i => i.Name == instrument) is { } row
            ? Violations(instrument, row.Tags, tags.ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal))
            : [$"{instrument} is not on the page"];

    /// <summary>The same for a span.</summary>
    public IEnumerable<string> SpanViolations(string span, IEnumerable<KeyValuePair<string, object?>> tags)
        => Spans.FirstOrDefault(s => s.Name.Split(" {")[0] == span.Split(' ')[0] && tags.All(t => s.Tags.Any(n => n.Name == t.Key))) is { } row
            ? Violations(span, row.Tags, tags.ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal))
            : [$"{span} with {string.Join(", ", tags.Select(t => t.Key))} is not on the page"];

    private static IEnumerable<string> Violations(string what, IReadOnlyList<Tag> known, Dictionary<string, object?> tags)
        => [
            .. tags.Keys.Where(t => known.All(k => k.Name != t)).Select(t => $"{what} has {t}, which the page does not know"),
            .. known.Where(k => !k.IsOptional && !tags.ContainsKey(k.Name)).Select(k => $"{what} has no {k.Name}"),
            .. known.Where(k => k.Values.Count > 0 && tags.TryGetValue(k.Name, out var value) && !k.Values.Contains(value as string)).Select(k => $"{what} has {k.Name} = {tags[k.Name]}, which the page does not know"),
        ];

    private static string Section(string text, string heading)
        => text.Split("\n## ").FirstOrDefault(s => s.StartsWith(heading + "\n", StringComparison.Ordinal)) ?? throw new InvalidOperationException($"{File} has no section '{heading}'.");

    /// <summary>The cells of a section's tables, without their heads.</summary>
    private static IEnumerable<string[]> Rows(string text, string section, int columns)
    {
        foreach (var line in Section(text, section).Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal) || l.StartsWith("| 6", StringComparison.Ordinal)))
        {
            var cells = line.Trim('|').Split('|').Select(c => c.Trim()).ToArray();
            yield return cells.Length == columns ? cells : throw new InvalidOperationException($"{File}: {cells.Length} cells in place of {columns}: {line}");
        }
    }

    private static string Name(string cell) => Code().Match(cell).Groups[1].Value;

    private static List<Tag> Tags(string cell)
        => [.. TagCell().Matches(cell).Select(m => new Tag(m.Groups[2].Value, m.Groups[1].Length > 0, m.Groups[3].Success ? m.Groups[3].Value.Split(", ") : []))];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"(\[?)`([^`]+)`\]?(?: \(([^)]*)\))?")]
    private static partial Regex TagCell();

    /// <param name="Name">In the code.</param>
    /// <param name="Kind">counter, histogram, gauge or updowncounter.</param>
    /// <param name="Unit">In UCUM.</param>
    /// <param name="Tags">Its tags.</param>
    /// <param name="Prometheus">Its name there.</param>
    internal sealed record Instrument(string Name, string Kind, string Unit, IReadOnlyList<Tag> Tags, string Prometheus);

    /// <param name="Name">In the code.</param>
    /// <param name="IsOptional">Whether it may be missing.</param>
    /// <param name="Values">All values; none: whatever the program says.</param>
    internal sealed record Tag(string Name, bool IsOptional, IReadOnlyList<string?> Values);

    /// <param name="Name">In the code; with <c>{…}</c> for what is the program's.</param>
    /// <param name="Kind">As OpenTelemetry's.</param>
    /// <param name="Tags">Its tags.</param>
    internal sealed record Span(string Name, string Kind, IReadOnlyList<Tag> Tags);

    /// <param name="Id">Its number.</param>
    /// <param name="Level">In small letters.</param>
    /// <param name="Name">With its category.</param>
    /// <param name="Message">The template.</param>
    internal sealed record Event(int Id, string Level, string Name, string Message);
}
