using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;

namespace EfConcurrency.Diagnostics;

/// <summary>The meter and the activity source; every room creates its instruments on them. docs/telemetry.md lists them all.</summary>
internal static class Telemetry
{
    private static readonly string LibraryVersion =
        typeof(Telemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static readonly Meter Meter = new(EfConcurrencyDiagnostics.MeterName, LibraryVersion);

    public static readonly ActivitySource Activities = new(EfConcurrencyDiagnostics.ActivitySourceName, LibraryVersion);

    /// <summary>OpenTelemetry's boundaries for durations in seconds, and two for waits. Its SDK's default ones are made for milliseconds.</summary>
    public static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 30, 60],
    };

    /// <summary>Tells a failure; nothing where there is none.</summary>
    public static void AddFailure(ref this TagList tags, Exception? failure)
    {
        if (failure is not null)
        {
            tags.Add(TagNames.ErrorType, failure.GetType().FullName);
        }
    }

    /// <summary>Marks the span as failed.</summary>
    /// <param name="activity">The span, if anybody listens.</param>
    /// <param name="failure">Why.</param>
    /// <param name="description">The failure in words, where they can't name a key of the caller's.</param>
    public static void Fail(this Activity? activity, Exception failure, string? description = null)
        => activity?.SetStatus(ActivityStatusCode.Error, description).SetTag(TagNames.ErrorType, failure.GetType().FullName);
}
