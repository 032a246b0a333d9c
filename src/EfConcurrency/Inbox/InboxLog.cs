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
}
