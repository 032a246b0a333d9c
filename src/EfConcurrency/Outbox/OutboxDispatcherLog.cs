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

    [LoggerMessage(EventIds.OutboxCursorsAhead, LogLevel.Critical, "Sink {Sink}: {Lanes} cursors are ahead of this server's transaction ids, as after a restore from a dump. These lanes are not delivered. Call db.OutboxAdmin().ReseedAsync() once, with all dispatchers running or not.", EventName = Category + ".CursorsAhead")]
    public static partial void CursorsAhead(ILogger logger, string sink, int lanes);
}
