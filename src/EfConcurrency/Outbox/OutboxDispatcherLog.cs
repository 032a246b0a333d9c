using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Outbox;

/// <summary>Log messages of the dispatcher.</summary>
internal static partial class OutboxDispatcherLog
{
    public const string Category = "EfConcurrency.Outbox";

    [LoggerMessage(EventIds.OutboxLanesHeld, LogLevel.Debug, "Sink {Sink}: this process leads {Lanes} lanes.", EventName = Category + ".LanesHeld")]
    public static partial void LanesHeld(ILogger logger, string sink, int lanes);

    [LoggerMessage(EventIds.OutboxLaneLost, LogLevel.Warning, "Sink {Sink}: lane {Lane} is no longer ours, because its lease was not renewed in time. What was sent since the last acknowledgement is sent again by its new leader.", EventName = Category + ".LaneLost")]
    public static partial void LaneLost(ILogger logger, string sink, short lane);

    [LoggerMessage(EventIds.OutboxTransportDown, LogLevel.Warning, "Sink {Sink}: the transport is down. Messages wait in the outbox until it is back.", EventName = Category + ".TransportDown")]
    public static partial void TransportDown(ILogger logger, string sink, Exception exception);

    [LoggerMessage(EventIds.OutboxTransportStillDown, LogLevel.Information, "Sink {Sink}: the transport is still down after {Failures} calls, the next comes in {Seconds} s.", EventName = Category + ".TransportStillDown")]
    public static partial void TransportStillDown(ILogger logger, string sink, int failures, double seconds, Exception exception);

    [LoggerMessage(EventIds.OutboxTransportUp, LogLevel.Information, "Sink {Sink}: the transport works again after {Failures} failed calls.", EventName = Category + ".TransportUp")]
    public static partial void TransportUp(ILogger logger, string sink, int failures);

    [LoggerMessage(EventIds.OutboxDeadLetter, LogLevel.Error, "Sink {Sink}: message {Id} ({MessageId}, {Type}) is a dead letter after {Attempts} deliveries. Replay or purge it with db.OutboxAdmin().", EventName = Category + ".DeadLetter")]
    public static partial void DeadLetter(ILogger logger, string sink, long id, Guid messageId, string type, int attempts, Exception? exception);

    [LoggerMessage(EventIds.OutboxSessionFailed, LogLevel.Warning, "Sink {Sink}: delivery was interrupted and begins again from its cursors.", EventName = Category + ".SessionFailed")]
    public static partial void SessionFailed(ILogger logger, string sink, Exception exception);

    [LoggerMessage(EventIds.OutboxCursorsAhead, LogLevel.Critical, "Sink {Sink}: {Lanes} cursors, or messages of the log, are ahead of this server's transaction ids, as after a restore from a dump. They are not delivered. Call db.OutboxAdmin().ReseedAsync() once; dispatchers may run meanwhile.", EventName = Category + ".CursorsAhead")]
    public static partial void CursorsAhead(ILogger logger, string sink, int lanes);

    [LoggerMessage(EventIds.OutboxPartitionEmptied, LogLevel.Information, "Partition {Partition} of the outbox was emptied: all sinks have passed it.", EventName = Category + ".PartitionEmptied")]
    public static partial void PartitionEmptied(ILogger logger, string partition);

    [LoggerMessage(EventIds.OutboxRetentionHeldBack, LogLevel.Warning, "Partition {Partition} of the outbox can't be emptied yet: {Sinks} have not passed it. A sink that is no longer used is forgotten with db.OutboxAdmin().RemoveSinkAsync().", EventName = Category + ".RetentionHeldBack")]
    public static partial void RetentionHeldBack(ILogger logger, string partition, string sinks);

    [LoggerMessage(EventIds.OutboxRetentionFailed, LogLevel.Warning, "The outbox's partitions could not be looked after; it is tried again in a minute.", EventName = Category + ".RetentionFailed")]
    public static partial void RetentionFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.OutboxReseeded, LogLevel.Warning, "The outbox begins anew after a restore: what its log holds is delivered once more.", EventName = Category + ".Reseeded")]
    public static partial void Reseeded(ILogger logger);

    [LoggerMessage(EventIds.OutboxNotifyFailed, LogLevel.Information, "Processes can't wake each other by NOTIFY now: messages of others are found by polling.", EventName = Category + ".NotifyFailed")]
    public static partial void NotifyFailed(ILogger logger, Exception exception);
}
