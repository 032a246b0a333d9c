using Microsoft.Extensions.Logging;

namespace EfConcurrency.Leases;

/// <summary>Tells log, meter and observers of changes of leadership.</summary>
internal sealed class LeadershipReport(IEnumerable<INotifyLeadership> observers, ILoggerFactory loggers)
{
    private readonly INotifyLeadership[] _observers = [.. observers];

    public ILogger Logger { get; } = loggers.CreateLogger(LeaseLog.Category);

    public Task ElectedAsync(LeadershipChange term, CancellationToken cancellationToken)
    {
        LeaseMeter.Elected();
        LeadershipLog.Elected(Logger, term.Name, term.FencingToken);
        return TellAsync(term, o => o.ElectedAsync(term, cancellationToken));
    }

    public Task EndedAsync(LeadershipChange term)
    {
        LeadershipLog.Ended(Logger, term.Name, term.FencingToken, term.Loss?.ToString() ?? "the body ended");
        return TellAsync(term, o => o.EndedAsync(term, CancellationToken.None));
    }

    public Task NewLeaderAsync(LeadershipChange term, CancellationToken cancellationToken)
    {
        LeadershipLog.NewLeader(Logger, term.Name, term.Leader, term.FencingToken);
        return TellAsync(term, o => o.NewLeaderAsync(term, cancellationToken));
    }

    private async Task TellAsync(LeadershipChange term, Func<INotifyLeadership, ValueTask> tell)
    {
        foreach (var observer in _observers)
        {
            try
            {
                await tell(observer).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                LeadershipLog.ObserverFailed(Logger, term.Name, observer.GetType().Name, failure);
            }
        }
    }
}
