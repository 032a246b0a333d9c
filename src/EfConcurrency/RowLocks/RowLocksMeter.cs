using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Postgres;
using EfConcurrency.QueryPipeline;
using Npgsql;

namespace EfConcurrency.RowLocks;

/// <summary>Instruments of the room. What others hold is not to be told from the time that the query itself takes, so that is in it.</summary>
internal static class RowLocksMeter
{
    private static readonly Histogram<double> Acquisition = Telemetry.Meter.CreateHistogram(
        "efconcurrency.row_lock.acquisition.duration", "s", "Time from sending a query that locks rows to having all of them read and locked, or to its failure.", advice: Telemetry.Seconds);

    /// <param name="wait">How the query waits.</param>
    /// <param name="elapsed">Since it was sent.</param>
    /// <param name="failure">What the caller gets in place of rows.</param>
    public static void Ended(LockWait wait, TimeSpan elapsed, Exception? failure)
    {
        if (!Acquisition.Enabled)
        {
            return;
        }

        var outcome = Outcome(wait, failure);
        var tags = new TagList { { TagNames.LockWait, Name(wait.Kind) }, { TagNames.Outcome, outcome } };
        if (outcome is "timeout" or "deadlock")
        {
            tags.Add(TagNames.ErrorType, outcome);
        }
        else if (outcome == "failed")
        {
            tags.AddFailure(failure);
        }

        Acquisition.Record(elapsed.TotalSeconds, tags);
    }

    private static string Outcome(LockWait wait, Exception? failure) => failure switch
    {
        null => "acquired",
        RowLockUnavailableException => wait.Kind == LockWaitKind.NoWait ? "busy" : "timeout",
        OperationCanceledException => "cancelled",
        _ when SqlStates.FindPostgresException(failure)?.SqlState == PostgresErrorCodes.DeadlockDetected => "deadlock",
        _ => "failed",
    };

    private static string Name(LockWaitKind kind) => kind switch
    {
        LockWaitKind.WaitLimited => "limited",
        LockWaitKind.NoWait => "no_wait",
        LockWaitKind.SkipLocked => "skip_locked",
        _ => "unlimited",
    };
}
