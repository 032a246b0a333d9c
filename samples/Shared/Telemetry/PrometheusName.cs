using System.Text;

namespace Samples.Telemetry;

/// <summary>
/// What OpenTelemetry's names become in Prometheus.
/// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
/// </summary>
internal static class PrometheusName
{
    private static readonly Dictionary<string, string> Units = new(StringComparer.Ordinal)
    {
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["By"] = "bytes",
        ["KiBy"] = "kibibytes",
        ["MiBy"] = "mebibytes",
        ["%"] = "percent",
    };

    /// <param name="name">The instrument's.</param>
    /// <param name="unit">The instrument's, in UCUM. In braces it is a remark, which no name has.</param>
    /// <param name="isCounter">Whether it only rises.</param>
    /// <param name="isGauge">Whether it is the last of several values.</param>
    public static string OfMetric(string name, string unit, bool isCounter, bool isGauge)
    {
        const string Total = "_total";
        var text = new StringBuilder(Legal(name));
        if (isCounter && text.ToString().EndsWith(Total, StringComparison.Ordinal))
        {
            text.Length -= Total.Length;
        }

        var suffix = unit switch
        {
            "" => "",
            ['{', ..] => "",
            "1" => isGauge ? "ratio" : "",
            _ => Units.GetValueOrDefault(unit) ?? Legal(unit),
        };
        if (suffix.Length > 0 && !text.ToString().EndsWith("_" + suffix, StringComparison.Ordinal))
        {
            text.Append('_').Append(suffix);
        }

        return text.Append(isCounter ? Total : "").ToString();
    }

    public static string OfLabel(string tag) => Legal(tag);

    /// <summary>Letters, digits and underscores, of which one stands for several; not a digit first.</summary>
    private static string Legal(string name)
    {
        var text = new StringBuilder();
        foreach (var c in name)
        {
            var legal = char.IsAsciiLetterOrDigit(c) || c == ':' ? c : '_';
            if (legal != '_' || text.Length == 0 || text[^1] != '_')
            {
                text.Append(legal);
            }
        }

        return text.Length > 0 && char.IsAsciiDigit(text[0]) ? $"_{text}" : text.ToString();
    }
}
