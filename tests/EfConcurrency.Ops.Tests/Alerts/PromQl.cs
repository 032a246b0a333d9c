using System.Text.RegularExpressions;

namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>What an expression names. Whether it is a correct one is for promtool to say.</summary>
/// <param name="Selectors">The series it reads.</param>
/// <param name="Grouping">The labels of its by, on and group_… clauses.</param>
internal sealed partial record PromQl(IReadOnlyList<PromQl.Selector> Selectors, IReadOnlySet<string> Grouping)
{
    private static readonly string[] Clauses = ["by", "without", "on", "ignoring", "group_left", "group_right"];

    private static readonly string[] Keywords = ["and", "or", "unless", "bool", "offset"];

    /// <param name="Metric">Name of the metric; empty where only labels are given.</param>
    /// <param name="Matchers">Label, operator and value.</param>
    internal sealed record Selector(string Metric, IReadOnlyList<(string Label, string Operator, string Value)> Matchers);

    public static PromQl Parse(string expression)
    {
        var tokens = Token().Matches(expression).Select(m => m.Value).ToList();
        var selectors = new List<Selector>();
        var grouping = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < tokens.Count; i++)
        {
            var next = i + 1 < tokens.Count ? tokens[i + 1] : "";
            if (tokens[i] == "{")
            {
                selectors.Add(new("", Matchers(tokens, ref i)));
            }
            else if (!Name().IsMatch(tokens[i]) || Keywords.Contains(tokens[i]))
            {
                continue;
            }
            else if (Clauses.Contains(tokens[i]))
            {
                for (i += 2; tokens[i] != ")"; i++)
                {
                    grouping.UnionWith(Name().IsMatch(tokens[i]) ? [tokens[i]] : []);
                }
            }
            else if (next == "{")
            {
                var metric = tokens[i++];
                selectors.Add(new(metric, Matchers(tokens, ref i)));
            }
            else if (next != "(" && !Clauses.Contains(next))
            {
                selectors.Add(new(tokens[i], []));
            }
        }

        return new(selectors, grouping);
    }

    /// <summary>From the opening brace to the closing one.</summary>
    private static List<(string Label, string Operator, string Value)> Matchers(List<string> tokens, ref int i)
    {
        var matchers = new List<(string, string, string)>();
        for (i++; tokens[i] != "}"; i++)
        {
            if (tokens[i] != ",")
            {
                matchers.Add((tokens[i], tokens[i + 1], tokens[i + 2].Trim('"')));
                i += 2;
            }
        }

        return matchers;
    }

    [GeneratedRegex("""
        "(?:\\.|[^"\\])*"|[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9][0-9a-z.]*|=~|!~|!=|\S
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Token();

    [GeneratedRegex(@"\A[a-zA-Z_:]")]
    private static partial Regex Name();
}
