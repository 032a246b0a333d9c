using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace EfConcurrency.Benchmarks.Diagnostics;

/// <summary>OpenTelemetry as a program has it: all metrics, every trace, both exported in the background. Nothing is sent anywhere.</summary>
internal sealed class Listening : IDisposable
{
    private readonly MeterProvider _meters = Sdk.CreateMeterProviderBuilder()
        .AddEfConcurrencyInstrumentation()
        .AddReader(new PeriodicExportingMetricReader(new Nowhere<Metric>()))
        .Build();

    private readonly TracerProvider _tracer = Sdk.CreateTracerProviderBuilder()
        .AddEfConcurrencyInstrumentation()
        .SetSampler(new AlwaysOnSampler())
        .AddProcessor(new BatchActivityExportProcessor(new Nowhere<Activity>()))
        .Build();

    public void Dispose()
    {
        _tracer.Dispose();
        _meters.Dispose();
    }

    private sealed class Nowhere<T> : BaseExporter<T>
        where T : class
    {
        public override ExportResult Export(in Batch<T> batch)
        {
            foreach (var item in batch)
            {
                GC.KeepAlive(item);
            }

            return ExportResult.Success;
        }
    }
}
