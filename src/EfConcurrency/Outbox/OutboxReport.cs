using Microsoft.Extensions.Logging;

namespace EfConcurrency.Outbox;

/// <summary>Tells people and meters what happens in a sink.</summary>
internal sealed class OutboxReport(string sink, ILoggerFactory loggers)
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
        OutboxMeter.Leads(sink, lanes);
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

    public void CursorsAhead(int lanes) => OutboxDispatcherLog.CursorsAhead(_logger, sink, lanes);
}
