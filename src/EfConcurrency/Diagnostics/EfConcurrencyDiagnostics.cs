namespace EfConcurrency.Diagnostics;

/// <summary>Names under which the library reports; pass them to OpenTelemetry's <c>AddMeter</c> and <c>AddSource</c>.</summary>
public static class EfConcurrencyDiagnostics
{
    /// <summary>Name of the one meter of the library.</summary>
    /// <value><c>EfConcurrency</c></value>
    public const string MeterName = "EfConcurrency";

    /// <summary>Name of the one activity source of the library.</summary>
    /// <value><c>EfConcurrency</c></value>
    public const string ActivitySourceName = "EfConcurrency";
}
