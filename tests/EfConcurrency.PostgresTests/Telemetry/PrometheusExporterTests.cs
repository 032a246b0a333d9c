using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Samples.Telemetry;

namespace EfConcurrency.PostgresTests.Telemetry;

/// <summary>The samples' text for Prometheus, by OpenTelemetry's rules of translation.</summary>
public sealed class PrometheusExporterTests
{
    [Theory]
    [InlineData("efconcurrency.conflicts", "{conflict}", true, false, "efconcurrency_conflicts_total")]
    [InlineData("efconcurrency.outbox.oldest_pending.age", "s", false, true, "efconcurrency_outbox_oldest_pending_age_seconds")]
    [InlineData("efconcurrency.outbox.payload.size", "By", false, false, "efconcurrency_outbox_payload_size_bytes")]
    [InlineData("distributed_lock.waiter.count", "{waiter}", false, false, "distributed_lock_waiter_count")]
    [InlineData("io_total", "By", true, false, "io_bytes_total")]
    [InlineData("wait.seconds", "s", true, false, "wait_seconds_total")]
    [InlineData("hit.rate", "1", false, true, "hit_rate_ratio")]
    [InlineData("2xx..rate", "", false, true, "_2xx_rate")]
    public void Names_are_translated(string name, string unit, bool isCounter, bool isGauge, string expected)
        => Assert.Equal(expected, PrometheusName.OfMetric(name, unit, isCounter, isGauge));

    [Fact]
    public void All_kinds_are_written()
    {
        using var meter = new Meter("planted", "1.2");
        using var exporter = new PrometheusExporter();
        Assert.Throws<InvalidOperationException>(exporter.Scrape);
        using var provider = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddAttributes([new("service.name", "shop")]))
            .AddMeter(meter.Name)
            .AddReader(new BaseExportingMetricReader(exporter))
            .Build();
        var counter = meter.CreateCounter<long>("a.count", "{hit}", "Hits.");
        counter.Add(2, new KeyValuePair<string, object?>("a.tag", "say \"x\"\n\\"));
        counter.Add(1, new KeyValuePair<string, object?>("a.tag", "say \"x\"\n\\"));
        meter.CreateUpDownCounter<long>("b.waiters", "{waiter}").Add(-1);
        meter.CreateGauge<double>("c.age", "s").Record(1.5);
        var histogram = meter.CreateHistogram("d.duration", "s", null, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [.1, 1] });
        Array.ForEach([.05, .5, 5], v => histogram.Record(v));

        const string Scope = "otel_scope_name=\"planted\",otel_scope_version=\"1.2\"";
        Assert.Equal(
            $$$"""
            # TYPE target_info gauge
            target_info{service_name="shop"} 1
            # HELP a_count_total Hits.
            # TYPE a_count_total counter
            a_count_total{{{{Scope}}},a_tag="say \"x\"\n\\"} 3
            # TYPE b_waiters gauge
            b_waiters{{{{Scope}}}} -1
            # TYPE c_age_seconds gauge
            c_age_seconds{{{{Scope}}}} 1.5
            # TYPE d_duration_seconds histogram
            d_duration_seconds_bucket{{{{Scope}}},le="0.1"} 1
            d_duration_seconds_bucket{{{{Scope}}},le="1"} 2
            d_duration_seconds_bucket{{{{Scope}}},le="+Inf"} 3
            d_duration_seconds_sum{{{{Scope}}}} 5.55
            d_duration_seconds_count{{{{Scope}}}} 3

            """.ReplaceLineEndings("\n"),
            exporter.Scrape());
        Assert.Contains("a_count_total", exporter.Scrape(), StringComparison.Ordinal);
    }
}
