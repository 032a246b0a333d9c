using EfConcurrency.Diagnostics;

namespace OpenTelemetry.Trace;

/// <summary>Collects the library's spans.</summary>
public static class EfConcurrencyTracerProviderBuilderExtensions
{
    /// <summary>Collects the spans of EfConcurrency and its packages; docs/telemetry.md lists them. The commands in them are on the source <c>Npgsql</c>.</summary>
    /// <param name="builder">The provider that is being built.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static TracerProviderBuilder AddEfConcurrencyInstrumentation(this TracerProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddSource(EfConcurrencyDiagnostics.ActivitySourceName);
    }
}
