namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>Finds what an expression names and nobody reports.</summary>
internal static class Vocabulary
{
    /// <summary>What Prometheus adds to every series that it scrapes.</summary>
    private static readonly string[] Scraped = ["job", "instance", "__name__"];

    private static readonly Dictionary<string, string[]> Own = new(StringComparer.Ordinal)
    {
        // Prometheus' own series of what fires.
        ["ALERTS"] = ["alertname", "alertstate", "severity"],
        [""] = [],
    };

    /// <summary>One line a mistake.</summary>
    public static IEnumerable<string> Mistakes(string expression)
    {
        var query = PromQl.Parse(expression);
        var known = new HashSet<string>(Scraped, StringComparer.Ordinal);
        foreach (var selector in query.Selectors)
        {
            if (LabelsOf(selector.Metric) is not { } labels)
            {
                yield return $"{selector.Metric} is not reported";
                continue;
            }

            known.UnionWith(labels);
            foreach (var (label, @operator, value) in selector.Matchers)
            {
                if (!labels.Contains(label) && !Scraped.Contains(label))
                {
                    yield return $"{selector.Metric} has no label {label}";
                }
                else if (TelemetryTable.Series.GetValueOrDefault(selector.Metric)?.Labels.GetValueOrDefault(label) is { Length: > 0 } values)
                {
                    foreach (var word in (@operator.EndsWith('~') ? value.Split('|') : [value]).Where(w => w.Length > 0 && !values.Contains(w)))
                    {
                        yield return $"{selector.Metric} has no {label} {word}";
                    }
                }
            }
        }

        foreach (var label in query.Grouping.Where(l => !known.Contains(l)))
        {
            yield return $"nothing has a label {label}";
        }
    }

    /// <summary>The labels of a series, recorded or reported; null when there is no such series.</summary>
    private static string[]? LabelsOf(string metric)
        => Own.TryGetValue(metric, out var own) ? own
            : RuleFile.Rules.FirstOrDefault(r => !r.IsAlert && r.Name == metric) is { } rule ? [.. PromQl.Parse(rule.Expression).Grouping]
            : TelemetryTable.Series.TryGetValue(metric, out var instrument) ? [.. instrument.Labels.Keys, .. (string[])(metric.EndsWith("_bucket", StringComparison.Ordinal) ? ["le"] : [])]
            : null;
}
