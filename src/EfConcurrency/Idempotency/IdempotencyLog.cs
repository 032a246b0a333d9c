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
}
