using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Outbox;

/// <summary>Log messages of the side that enqueues.</summary>
internal static partial class OutboxEnqueueLog
{
    public const string Category = "EfConcurrency.Outbox";

    [LoggerMessage(EventIds.OutboxMessagesSaved, LogLevel.Debug, "{Messages} messages were saved to outbox {Table}.", EventName = Category + ".OutboxMessagesSaved")]
    public static partial void Saved(ILogger logger, int messages, string table);

    [LoggerMessage(EventIds.OutboxMessagesForgotten, LogLevel.Debug, "{Messages} messages were forgotten unsaved: the change tracker was cleared, or the context went back to its pool.", EventName = Category + ".OutboxMessagesForgotten")]
    public static partial void Forgotten(ILogger logger, int messages);
}
