using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Samples.Telemetry;

/// <summary>
/// What a program sends to a collector: the library's metrics and spans, with EF's and Npgsql's beside them. Nothing is sent unless <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>
/// is set (http://localhost:4317, say); the exporter reads the other variables by itself. An app with a host writes
/// <c>services.AddOpenTelemetry()</c> and the same lines.
/// </summary>
internal sealed class SampleTelemetry : IDisposable
{
    private readonly MeterProvider? _metrics;
    private readonly TracerProvider? _traces;

    private SampleTelemetry(MeterProvider? metrics, TracerProvider? traces)
    {
        _metrics = metrics;
        _traces = traces;
    }

    /// <param name="service">How the program is called in metrics and traces.</param>
    /// <param name="configure">What the program reads its metrics with besides.</param>
    public static SampleTelemetry Start(string service, Action<MeterProviderBuilder>? configure = null)
    {
        var exports = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        if (!exports && configure is null)
        {
            return new(null, null);
        }

        var metrics = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(r => r.AddService(service))
            .AddEfConcurrencyInstrumentation()
            .AddMeter("Microsoft.EntityFrameworkCore", "Npgsql");
        configure?.Invoke(metrics);
        if (!exports)
        {
            return new(metrics.Build(), null);
        }

        return new(
            metrics.AddOtlpExporter().Build(),
            Sdk.CreateTracerProviderBuilder()
                .ConfigureResource(r => r.AddService(service))
                .AddEfConcurrencyInstrumentation()
                .AddSource("Npgsql")
                .AddOtlpExporter()
                .Build());
    }

    /// <summary>Sends what has not been sent yet.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
