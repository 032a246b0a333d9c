using System.Reflection;
using System.Text.Json;

namespace EfConcurrency.Tool.Explain;

/// <summary>All that can be explained. Events and exceptions are held against the packages by a test; alerts are the runbooks themselves.</summary>
internal static class Explanations
{
    private const string Runbooks = "runbooks/";

    private static readonly Assembly Tool = typeof(Explanations).Assembly;

    public static IReadOnlyList<Explanation> All { get; } =
    [
        .. Read<Event>("events.json").Select(e => new Explanation("event", e.Name, e.Id, e.Level, e.Message, e.Meaning, e.Action, e.See)),
        .. Tool.GetManifestResourceNames().Where(n => n.StartsWith(Runbooks, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Alert),
        .. Read<Described>("exceptions.json").Select(e => new Explanation("exception", e.Name, null, null, null, e.Meaning, e.Action, e.See)),
        .. Read<Code>("exit-codes.json").Select(c => new Explanation("exit code", c.Name, c.Number, null, null, c.Meaning, c.Action, "src/EfConcurrency.Tool/README.md")),
    ];

    /// <summary>A name may be a full one, or its last part.</summary>
    public static IReadOnlyList<Explanation> Find(string asked) => [.. All.Where(e => e.IsCalled(asked.Trim()))];

    /// <summary>What may have been meant.</summary>
    public static IEnumerable<string> Nearest(string asked) => All
        .Select(e => (Text: e.Kind == "event" ? $"{e.Id}" : e.Name, Distance: Math.Min(Distance(asked, $"{e.Id}"), Distance(asked, e.Name.Split('.')[^1])), Name: e.Name.Split('.')[^1]))
        .OrderBy(e => e.Distance).Take(3).Select(e => e.Text == e.Name ? e.Name : $"{e.Text} {e.Name}");

    /// <summary>The first paragraph is what it means; the rest is what to do.</summary>
    private static Explanation Alert(string resource)
    {
        using var reader = new StreamReader(Tool.GetManifestResourceStream(resource)!);
        var file = resource[Runbooks.Length..];
        var page = reader.ReadToEnd().ReplaceLineEndings("\n").Trim();
        var body = page.StartsWith('#') && page.Contains('\n', StringComparison.Ordinal) ? page[page.IndexOf('\n', StringComparison.Ordinal)..].TrimStart() : page;
        var end = body.IndexOf("\n\n", StringComparison.Ordinal);
        return new(
            "alert", Path.GetFileNameWithoutExtension(file), null, null, null, end < 0 ? body : body[..end], end < 0 ? "" : body[end..].Trim(), $"docs/runbooks/{file}");
    }

    private static List<T> Read<T>(string file)
    {
        using var stream = Tool.GetManifestResourceStream(file)!;
        return JsonSerializer.Deserialize<List<T>>(stream, JsonSerializerOptions.Web)!;
    }

    /// <summary>Levenshtein's, without regard to case.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1;
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + cost));
            }
        }

        return row[^1];
    }

    private sealed record Event(int Id, string Name, string Level, string Message, string Meaning, string Action, string See);

    private sealed record Described(string Name, string Meaning, string Action, string See);

    private sealed record Code([property: System.Text.Json.Serialization.JsonPropertyName("code")] int Number, string Name, string Meaning, string Action);
}
