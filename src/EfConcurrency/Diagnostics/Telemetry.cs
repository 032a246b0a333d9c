using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;

namespace EfConcurrency.Diagnostics;

/// <summary>The meter and the activity source; every room creates its instruments on them.</summary>
internal static class Telemetry
{
    private static readonly string LibraryVersion =
        typeof(Telemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static readonly Meter Meter = new(EfConcurrencyDiagnostics.MeterName, LibraryVersion);

    public static readonly ActivitySource Activities = new(EfConcurrencyDiagnostics.ActivitySourceName, LibraryVersion);
}
