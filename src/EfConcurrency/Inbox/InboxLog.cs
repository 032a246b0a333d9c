using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Inbox;

/// <summary>Log messages of the room.</summary>
internal static partial class InboxLog
{
    public const string Category = "EfConcurrency.Inbox";

    [LoggerMessage(EventIds.InboxDuplicate, LogLevel.Debug, "Consumer {Consumer} has handled message {MessageId} before.", EventName = Category + ".InboxDuplicate")]
    public static partial void Duplicate(ILogger logger, string consumer, string messageId);

    [LoggerMessage(EventIds.InboxHandlerFailed, LogLevel.Warning, "Consumer {Consumer} failed on message {MessageId} ({Type}), delivery {Attempt}; nothing was changed.", EventName = Category + ".InboxHandlerFailed")]
    public static partial void Failed(ILogger logger, string consumer, string type, string messageId, int attempt, Exception exception);

    [LoggerMessage(EventIds.InboxMessageRejected, LogLevel.Error, "Consumer {Consumer} can never handle message {MessageId} ({Type}); nothing was changed.", EventName = Category + ".InboxMessageRejected")]
    public static partial void Rejected(ILogger logger, string consumer, string type, string messageId, Exception exception);

    [LoggerMessage(EventIds.InboxOutcomeUnknown, LogLevel.Warning, "It could not be found out whether consumer {Consumer} has committed message {MessageId}; it runs again, and finds out by the inbox.", EventName = Category + ".InboxOutcomeUnknown")]
    public static partial void OutcomeUnknown(ILogger logger, string consumer, string messageId, Exception exception);

    [LoggerMessage(EventIds.InboxBatchUndone, LogLevel.Debug, "{Messages} messages of consumer {Consumer} were to be handled together and were undone; they are handled one by one: {Reason}", EventName = Category + ".InboxBatchUndone")]
    public static partial void BatchUndone(ILogger logger, int messages, string consumer, string reason);

    [LoggerMessage(EventIds.InboxPartitionEmptied, LogLevel.Information, "{Partition} was emptied: its day is outside of the inbox's window.", EventName = Category + ".InboxPartitionEmptied")]
    public static partial void PartitionEmptied(ILogger logger, string partition);

    [LoggerMessage(EventIds.InboxRowsDeleted, LogLevel.Debug, "{Rows} rows of ids without a day, older than the inbox's window, were deleted from {Partition}.", EventName = Category + ".InboxRowsDeleted")]
    public static partial void RowsDeleted(ILogger logger, long rows, string partition);

    [LoggerMessage(EventIds.InboxCleanupFailed, LogLevel.Warning, "The inbox could not be cleaned up. It grows, and is correct all the same.", EventName = Category + ".InboxCleanupFailed")]
    public static partial void CleanupFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.InboxCleanupNotPermitted, LogLevel.Warning, "The inbox could not be cleaned up, for want of privileges. Grant TRUNCATE and DELETE on its partitions to this role, or switch InboxCleanupOptions.IsEnabled off and clean up with another role.", EventName = Category + ".InboxCleanupNotPermitted")]
    public static partial void CleanupNotPermitted(ILogger logger, Exception exception);
}
