using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>Log messages of the room.</summary>
internal static partial class AdvisoryLocksLog
{
    public const string Category = "EfConcurrency.AdvisoryLocks";

    [LoggerMessage(EventIds.AdvisoryLockContended, LogLevel.Debug, "Advisory lock {LockId} on {Keys} was not free at once: {Outcome} after {ElapsedMilliseconds} ms.", EventName = Category + ".Contended")]
    public static partial void Contended(ILogger logger, Guid lockId, string keys, string outcome, double elapsedMilliseconds);

    [LoggerMessage(
        EventIds.SessionLockLost,
        LogLevel.Warning,
        "Advisory lock {LockId} on {Keys} was lost with server process {ProcessId}, or that process did not confirm its release. Its connection is closed.",
        EventName = Category + ".SessionLockLost")]
    public static partial void SessionLockLost(ILogger logger, Exception? exception, Guid lockId, string keys, int processId);

    [LoggerMessage(EventIds.AdvisoryLockNameNotRecorded, LogLevel.Warning, "The names of {Keys} could not be recorded; the lock is taken all the same.", EventName = Category + ".NameNotRecorded")]
    public static partial void NameNotRecorded(ILogger logger, Exception exception, string keys);
}
