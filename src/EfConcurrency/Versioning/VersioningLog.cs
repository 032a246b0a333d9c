using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Versioning;

/// <summary>Log messages of the room.</summary>
internal static partial class VersioningLog
{
    public const string Category = "EfConcurrency.Versioning";

    [LoggerMessage(EventIds.VersionConflict, LogLevel.Debug, "A save of {Context} was refused: {Conflicts} row(s) changed by another writer.", EventName = Category + ".VersionConflict")]
    public static partial void VersionConflict(ILogger logger, string context, int conflicts);

    [LoggerMessage(EventIds.RetryingAfterConflict, LogLevel.Debug, "Attempt {Attempt} of {MaxAttempts} failed and is repeated: {Reason}", EventName = Category + ".RetryingAfterConflict")]
    public static partial void RetryingAfterConflict(ILogger logger, int attempt, int maxAttempts, string reason);

    [LoggerMessage(EventIds.RetriesExhausted, LogLevel.Warning, "Given up after {Attempts} attempts: {Reason}", EventName = Category + ".RetriesExhausted")]
    public static partial void RetriesExhausted(ILogger logger, int attempts, string reason);

    [LoggerMessage(EventIds.RowsLockedBeforeRetry, LogLevel.Debug, "Attempt {Attempt} locks {Rows} row(s) before it reads them.", EventName = Category + ".RowsLockedBeforeRetry")]
    public static partial void RowsLockedBeforeRetry(ILogger logger, int attempt, int rows);

    [LoggerMessage(EventIds.AfterCommitCallbackFailed, LogLevel.Error, "The work is committed, but a callback after the commit failed.", EventName = Category + ".AfterCommitCallbackFailed")]
    public static partial void AfterCommitCallbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.CommitOutcomeChecked, LogLevel.Warning, "The reply to a commit was lost; transaction {TransactionId}: {Outcome}.", EventName = Category + ".CommitOutcomeChecked")]
    public static partial void CommitOutcomeChecked(ILogger logger, string transactionId, string outcome);
}
