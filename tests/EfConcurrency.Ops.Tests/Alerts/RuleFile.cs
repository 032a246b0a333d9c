using System.Text.RegularExpressions;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>A rule as it stands in the file.</summary>
/// <param name="Group">Its group: the rules of one are evaluated in order.</param>
/// <param name="Name">What it records or alerts under.</param>
/// <param name="IsAlert">Whether it alerts.</param>
/// <param name="Expression">In PromQL.</param>
/// <param name="Text">All of its lines.</param>
internal sealed record Rule(string Group, string Name, bool IsAlert, string Expression, string Text)
{
    /// <summary>A label or an annotation; null when it is not there.</summary>
    public string? this[string name] => Regex.Match(Text, $@"^ +{name}: (.+)$", RegexOptions.Multiline) is { Success: true } match ? match.Groups[1].Value : null;
}

/// <summary>The rules, read in the one form in which they are written: keys in lines, expressions in one line or as a block.</summary>
internal static partial class RuleFile
{
    public static IReadOnlyList<Rule> Rules { get; } = Parse(Repository.Read(Repository.Rules));

    public static IReadOnlyList<Rule> Alerts { get; } = [.. Rules.Where(r => r.IsAlert)];

    public static string[] AlertNames { get; } = [.. Alerts.Select(a => a.Name).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>A file with that alert alone, and another expression in it.</summary>
    public static string With(string alert, string expression)
        => $"groups:\n  - name: broken\n    rules:\n{string.Concat(Alerts.Where(a => a.Name == alert).Select(a => Expression().Replace(a.Text, $"        expr: {expression}\n", 1)))}";

    private static List<Rule> Parse(string text)
        => [.. Start().Matches(text).Select(m => new Rule(
            GroupName().Matches(text[..m.Index])[^1].Groups["name"].Value,
            m.Groups["name"].Value,
            m.Groups["kind"].Value == "alert",
            Expression().Match(m.Value).Groups["expression"].Value,
            m.Value))];

    [GeneratedRegex(@"^      - (?<kind>alert|record): (?<name>\S+)\n(?:        .*\n)+", RegexOptions.Multiline)]
    private static partial Regex Start();

    [GeneratedRegex(@"^  - name: (?<name>\S+)$", RegexOptions.Multiline)]
    private static partial Regex GroupName();

    [GeneratedRegex(@"^        expr: (?:\|\n)?(?<expression>.*\n(?:          .*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Expression();
}
