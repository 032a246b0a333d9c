using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>Instruments of the room. A key is never a tag: the caller names the kind of lock (<see cref="AdvisoryLockOptions.Resource"/>).</summary>
internal static class AdvisoryLocksMeter
{
    private static readonly Histogram<double> Acquisition = Telemetry.Meter.CreateHistogram(
        "distributed_lock.acquisition.duration", "s", "Time from asking for a lock to having it, or to giving up.", advice: Telemetry.Seconds);

    private static readonly Histogram<double> Hold = Telemetry.Meter.CreateHistogram(
        "distributed_lock.hold.duration", "s", "Time from having a lock to its release.", advice: Telemetry.Seconds);

    private static readonly UpDownCounter<long> Waiters = Telemetry.Meter.CreateUpDownCounter<long>(
        "distributed_lock.waiter.count", "{waiter}", "Calls of this process that are asking for a lock.");

    private static readonly Counter<long> Contentions = Telemetry.Meter.CreateCounter<long>(
        "distributed_lock.contentions", "{contention}", "Locks that were not free when they were asked for.");

    private static readonly Counter<long> Lost = Telemetry.Meter.CreateCounter<long>(
        "distributed_lock.losses", "{lock}", "Session locks that were lost while work ran under them.");

    public static void WaitStarted(AdvisoryLockOptions options)
    {
        if (Waiters.Enabled)
        {
            Waiters.Add(1, Tags(options));
        }
    }

    /// <param name="options">Of the call.</param>
    /// <param name="elapsed">Since the call.</param>
    /// <param name="outcome"><c>acquired</c>, <c>busy</c>, <c>timeout</c>, <c>refused</c>, <c>deadlock</c>, <c>table_full</c>, <c>cancelled</c> or <c>failed</c>.</param>
    /// <param name="isContended">Whether the lock was not free at once.</param>
    /// <param name="error">The kind of the failure, if the caller gets an exception and did not cancel.</param>
    public static void WaitEnded(AdvisoryLockOptions options, TimeSpan elapsed, string outcome, bool isContended, string? error)
    {
        if (!Waiters.Enabled && !Contentions.Enabled && !Acquisition.Enabled)
        {
            return;
        }

        var tags = Tags(options);
        Waiters.Add(-1, tags);
        if (isContended)
        {
            Contentions.Add(1, tags);
        }

        tags.Add(TagNames.Outcome, outcome);
        if (error is not null)
        {
            tags.Add(TagNames.ErrorType, error);
        }

        Acquisition.Record(elapsed.TotalSeconds, tags);
    }

    public static void Held(AdvisoryLockOptions options, TimeSpan elapsed)
    {
        if (Hold.Enabled)
        {
            Hold.Record(elapsed.TotalSeconds, Tags(options));
        }
    }

    public static void WasLost(AdvisoryLockOptions options) => Lost.Add(1, Tags(options));

    public static string Name(AdvisoryLockMode mode) => mode == AdvisoryLockMode.Shared ? "shared" : "exclusive";

    public static string Name(AdvisoryLockScope scope) => scope == AdvisoryLockScope.Session ? "session" : "transaction";

    private static TagList Tags(AdvisoryLockOptions options)
    {
        var tags = new TagList
        {
            { TagNames.LockMode, Name(options.Mode) },
            { TagNames.LockScope, Name(options.Scope) },
        };
        if (options.Resource is not null)
        {
            tags.Add(TagNames.LockResource, options.Resource);
        }

        return tags;
    }
}
