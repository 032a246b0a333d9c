using System.Collections.Concurrent;
using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace EfConcurrency.PostgresTests.Telemetry;

/// <summary>The real SDK with exporters that keep what they are given.</summary>
internal sealed class Collector : IDisposable
{
    private readonly MeterProvider _meters;
    private readonly TracerProvider _tracer;
    private readonly Metrics _metrics = new();
    private readonly Spans _spans = new();

    public Collector()
    {
        _meters = Sdk.CreateMeterProviderBuilder().AddEfConcurrencyInstrumentation().AddReader(new BaseExportingMetricReader(_metrics)).Build();
        _tracer = Sdk.CreateTracerProviderBuilder().AddEfConcurrencyInstrumentation().SetSampler(new AlwaysOnSampler()).AddProcessor(new SimpleActivityExportProcessor(_spans)).Build();
    }

    public IReadOnlyCollection<Activity> Activities => _spans.All;

    /// <summary>All metrics of the process, as they are now.</summary>
    public IReadOnlyList<Point> Collect()
    {
        Assert.True(_meters.ForceFlush());
        return [.. _metrics.Last];
    }

    public void Dispose()
    {
        _tracer.Dispose();
        _meters.Dispose();
    }

    /// <param name="Name">The instrument's.</param>
    /// <param name="Scope">Meter and version.</param>
    /// <param name="Tags">Its tags.</param>
    /// <param name="Count">Sum, last value or number of values.</param>
    /// <param name="Bounds">Of a histogram.</param>
    internal sealed record Point(string Name, string Scope, Dictionary<string, object?> Tags, double Count, double[] Bounds);

    private sealed class Metrics : BaseExporter<Metric>
    {
        public List<Point> Last { get; private set; } = [];

        public override ExportResult Export(in Batch<Metric> batch)
        {
            var points = new List<Point>();
            foreach (var metric in batch)
            {
                foreach (ref readonly var point in metric.GetMetricPoints())
                {
                    points.Add(Read(metric, point));
                }
            }

            Last = points;
            return ExportResult.Success;
        }

        private static Point Read(Metric metric, in MetricPoint point)
        {
            var tags = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var (tag, value) in point.Tags)
            {
                tags.Add(tag, value);
            }

            var bounds = new List<double>();
            if (metric.MetricType == MetricType.Histogram)
            {
                foreach (var bucket in point.GetHistogramBuckets())
                {
                    bounds.Add(bucket.ExplicitBound);
                }
            }

            var count = metric.MetricType switch
            {
                MetricType.Histogram => point.GetHistogramCount(),
                MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
                MetricType.LongGauge => point.GetGaugeLastValueLong(),
                _ => point.GetGaugeLastValueDouble(),
            };
            return new(metric.Name, $"{metric.MeterName} {metric.MeterVersion}", tags, count, [.. bounds]);
        }
    }

    private sealed class Spans : BaseExporter<Activity>
    {
        private readonly ConcurrentQueue<Activity> _all = new();

        public IReadOnlyCollection<Activity> All => [.. _all];

        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var activity in batch)
            {
                _all.Enqueue(activity);
            }

            return ExportResult.Success;
        }
    }
}
