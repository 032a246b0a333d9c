using Microsoft.Extensions.Logging;

namespace EfConcurrency.Outbox;

/// <summary>Tells people and meters what happens in a sink.</summary>
internal sealed class OutboxReport(Type context, string sink, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger(OutboxDispatcherLog.Category);

    public OutboxSendSpan Sending(OutboxEnvelope[] batch) => OutboxSendSpan.Start(sink, batch);

    public void Settled(OutboxOutcome outcome) => OutboxMeter.Settled(sink, outcome);

    public void Dead(LoggedMessage message, int attempts, Exception? error)
    {
        OutboxMeter.Settled(sink, OutboxOutcome.Dead);
        OutboxDispatcherLog.DeadLetter(_logger, sink, message.Id, message.MessageId, message.Type, attempts, error);
    }

    public void Leads(int lanes)
    {
        OutboxMeter.Leads(context, sink, lanes);
        OutboxDispatcherLog.LanesHeld(_logger, sink, lanes);
    }

    public void Fenced(short lane)
    {
        OutboxMeter.Fenced(sink);
        OutboxDispatcherLog.LaneLost(_logger, sink, lane);
    }

    public void TransportDown(int failures, TimeSpan pause, Exception failure)
    {
        if (failures == 1)
        {
            OutboxDispatcherLog.TransportDown(_logger, sink, failure);
        }
        else
        {
            OutboxDispatcherLog.TransportStillDown(_logger, sink, failures, pause.TotalSeconds, failure);
        }
    }

    public void TransportUp(int failures) => OutboxDispatcherLog.TransportUp(_logger, sink, failures);

    public void SessionFailed(Exception failure) => OutboxDispatcherLog.SessionFailed(_logger, sink, failure);

    /// <summary>What this process reports as the lag; null when another one does.</summary>
    public void Lag(OutboxLag? lag) => OutboxMeter.Lag(context, sink, lag);

    public void PartitionEmptied(string partition) => OutboxDispatcherLog.PartitionEmptied(_logger, partition);

    public void RetentionHeldBack(string partition, string sinks) => OutboxDispatcherLog.RetentionHeldBack(_logger, partition, sinks);

    public void RetentionFailed(Exception failure) => OutboxDispatcherLog.RetentionFailed(_logger, failure);

    public void NotifyFailed(Exception failure) => OutboxDispatcherLog.NotifyFailed(_logger, failure);

    public void CursorsAhead(int lanes) => OutboxDispatcherLog.CursorsAhead(_logger, sink, lanes);
}
