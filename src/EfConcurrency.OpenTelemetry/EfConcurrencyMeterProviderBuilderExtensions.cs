using EfConcurrency.Diagnostics;

namespace OpenTelemetry.Metrics;

/// <summary>Collects the library's metrics.</summary>
public static class EfConcurrencyMeterProviderBuilderExtensions
{
    /// <summary>
    /// Collects what EfConcurrency and its packages measure; docs/telemetry.md lists it. Saves are on EF's meter, <c>Microsoft.EntityFrameworkCore</c>, connections and
    /// commands on <c>Npgsql</c>.
    /// </summary>
    /// <param name="builder">The provider that is being built.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static MeterProviderBuilder AddEfConcurrencyInstrumentation(this MeterProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddMeter(EfConcurrencyDiagnostics.MeterName);
    }
}
