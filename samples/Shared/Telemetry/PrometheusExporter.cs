using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Samples.Telemetry;

/// <summary>
/// Metrics in Prometheus' text format, so that a sample can be scraped without a collector. For samples and tests only: in production use the OTLP exporter and a
/// collector, or Prometheus' own OTLP receiver. https://prometheus.io/docs/instrumenting/exposition_formats/
/// </summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusExporter : BaseExporter<Metric>, IPullMetricExporter
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock _oneAtATime = new();
    private readonly StringBuilder _text = new();

    /// <summary>Set by the reader.</summary>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>All metrics as they are now.</summary>
    public string Scrape()
    {
        lock (_oneAtATime)
        {
            _text.Clear();
            return Collect?.Invoke(Timeout.Infinite) == true ? _text.ToString() : throw new InvalidOperationException("The metrics could not be collected: the exporter belongs to no reader, or that is shut down.");
        }
    }

    public override ExportResult Export(in Batch<Metric> batch)
    {
        WriteTarget();
        foreach (var metric in batch)
        {
            Write(metric);
        }

        return ExportResult.Success;
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Escape(string value)
        => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>Who is measured: the attributes of the resource, on one metric for all.</summary>
    private void WriteTarget()
    {
        var labels = ParentProvider.GetResource().Attributes.Select(a => Label(a.Key, a.Value));
        _text.Append("# TYPE target_info gauge\ntarget_info{").AppendJoin(',', labels).Append("} 1\n");
    }

    private void Write(Metric metric)
    {
        var isCounter = metric.MetricType is MetricType.LongSum or MetricType.DoubleSum;
        var isHistogram = metric.MetricType == MetricType.Histogram;
        var isGauge = metric.MetricType is MetricType.LongGauge or MetricType.DoubleGauge;
        var name = PrometheusName.OfMetric(metric.Name, metric.Unit, isCounter, isGauge);
        if (metric.Description.Length > 0)
        {
            _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {metric.Description.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\n");
        }

        _text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {(isCounter ? "counter" : isHistogram ? "histogram" : "gauge")}\n");
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            var labels = Labels(metric, point);
            switch (metric.MetricType)
            {
                case MetricType.Histogram:
                    WriteHistogram(name, labels, point);
                    break;
                case MetricType.LongGauge:
                    WriteSample(name, labels, point.GetGaugeLastValueLong());
                    break;
                case MetricType.DoubleGauge:
                    WriteSample(name, labels, point.GetGaugeLastValueDouble());
                    break;
                case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                    WriteSample(name, labels, point.GetSumLong());
                    break;
                default:
                    WriteSample(name, labels, point.GetSumDouble());
                    break;
            }
        }
    }

    private static string Label(string name, object? value) => $"{PrometheusName.OfLabel(name)}=\"{Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")}\"";

    private static string Labels(Metric metric, in MetricPoint point)
    {
        List<string> labels = [Label("otel_scope_name", metric.MeterName), Label("otel_scope_version", metric.MeterVersion)];
        foreach (var (tag, value) in point.Tags)
        {
            labels.Add(Label(tag, value));
        }

        return string.Join(',', labels);
    }

    private void WriteSample(string name, string labels, double value)
        => _text.Append(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {Number(value)}\n");

    /// <summary>Each bucket counts what is in those before it, too.</summary>
    private void WriteHistogram(string name, string labels, in MetricPoint point)
    {
        var total = 0L;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            total += bucket.BucketCount;
            WriteSample($"{name}_bucket", $"{labels},le=\"{Number(bucket.ExplicitBound)}\"", total);
        }

        WriteSample($"{name}_sum", labels, point.GetHistogramSum());
        WriteSample($"{name}_count", labels, point.GetHistogramCount());
    }
}
