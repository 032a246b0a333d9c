using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Idempotency;

/// <summary>Log messages of the room. A key is told by its hash only.</summary>
internal static partial class IdempotencyLog
{
    public const string Category = "EfConcurrency.Idempotency";

    [LoggerMessage(EventIds.IdempotencyEnded, LogLevel.Debug, "Operation of idempotency key #{KeyHash}: {Outcome}.", EventName = Category + ".IdempotencyEnded")]
    public static partial void Ended(ILogger logger, string keyHash, string outcome);

    [LoggerMessage(EventIds.IdempotencyTakenOver, LogLevel.Warning, "Operation of idempotency key #{KeyHash} is taken over, attempt {Attempt}, at recovery point {RecoveryPoint}: the one before gave no sign of life in time, or failed.", EventName = Category + ".IdempotencyTakenOver")]
    public static partial void TakenOver(ILogger logger, string keyHash, int attempt, string? recoveryPoint);

    [LoggerMessage(EventIds.IdempotencyClaimLost, LogLevel.Warning, "The claim on idempotency key #{KeyHash} (fence {Fence}) is lost: its work is cancelled, and refused where it writes.", EventName = Category + ".IdempotencyClaimLost")]
    public static partial void ClaimLost(ILogger logger, string keyHash, long fence);

    [LoggerMessage(EventIds.IdempotencyNotExtended, LogLevel.Warning, "The claim on idempotency key #{KeyHash} could not be extended; when that goes on, another will take over.", EventName = Category + ".IdempotencyNotExtended")]
    public static partial void NotExtended(ILogger logger, string keyHash, Exception exception);

    [LoggerMessage(EventIds.IdempotencyNotReleased, LogLevel.Warning, "The claim on idempotency key #{KeyHash} could not be given back; others wait until its lease ends.", EventName = Category + ".IdempotencyNotReleased")]
    public static partial void NotReleased(ILogger logger, string keyHash, Exception exception);

    [LoggerMessage(EventIds.IdempotencyNeedsResolution, LogLevel.Error, "Operation of idempotency key #{KeyHash}: whether step {Step} took effect is not known, and it is not run again by itself. Look at the other system, then call ResolveAsync or ResumeAsync.", EventName = Category + ".IdempotencyNeedsResolution")]
    public static partial void NeedsResolution(ILogger logger, string keyHash, string step, Exception? exception);

    [LoggerMessage(EventIds.IdempotencyExpired, LogLevel.Debug, "{Rows} expired idempotency keys were deleted.", EventName = Category + ".IdempotencyExpired")]
    public static partial void Expired(ILogger logger, long rows);

    [LoggerMessage(EventIds.IdempotencyStuck, LogLevel.Warning, "{Stuck} operations with an idempotency key are stuck: they need resolution, or their worker is gone and nobody has asked again.", EventName = Category + ".IdempotencyStuck")]
    public static partial void Stuck(ILogger logger, long stuck);

    [LoggerMessage(EventIds.IdempotencyCleanupFailed, LogLevel.Error, "Expired idempotency keys could not be deleted; tried again in {Interval}.", EventName = Category + ".IdempotencyCleanupFailed")]
    public static partial void CleanupFailed(ILogger logger, TimeSpan interval, Exception exception);

    [LoggerMessage(EventIds.IdempotencyErased, LogLevel.Information, "{Rows} idempotency keys were erased.", EventName = Category + ".IdempotencyErased")]
    public static partial void Erased(ILogger logger, long rows);

    [LoggerMessage(EventIds.IdempotencyResolved, LogLevel.Information, "Operation of idempotency key #{KeyHash} was resolved: {How}.", EventName = Category + ".IdempotencyResolved")]
    public static partial void Resolved(ILogger logger, string keyHash, string how);
}
