namespace EfConcurrency.Outbox;

/// <summary>
/// The work for one sink as long as its connections hold. When one breaks, everything that is remembered is thrown away and a new session begins
/// from the cursors: the server may have forgotten transactions, or be another one.
/// </summary>
internal sealed class OutboxSession : IAsyncDisposable
{
    private static readonly TimeSpan MeasureInterval = TimeSpan.FromSeconds(10);

    private readonly OutboxConnection _reading;
    private readonly OutboxConnection _writing;
    private readonly CancellationTokenSource _over;
    private readonly OutboxStore _store;
    private readonly OutboxLanes _lanes;
    private readonly OutboxAcks _acks;
    private readonly OutboxPump _pump;
    private readonly OutboxSink _sink;
    private readonly List<Task> _running = [];

    private OutboxSession(OutboxSink sink, OutboxConnection reading, OutboxConnection writing, CancellationToken ending)
    {
        var (options, time) = (sink.Options, sink.Time);
        var due = new OutboxDueTimes(time);
        _sink = sink;
        _reading = reading;
        _writing = writing;
        _over = CancellationTokenSource.CreateLinkedTokenSource(ending);
        _store = new(sink.Database, sink.Transport.Sink, sink.Owner, reading, writing, _over.Token);
        _lanes = new(_store, sink.Database.Table.Lanes, options, sink.Report, time);
        _acks = new(_store, _lanes, options, sink.Report, time);
        var sender = new OutboxSender(sink.Transport, sink.Health, options, sink.Report, time);
        var delivery = new OutboxDelivery(_store, sender, _acks, options, options.Filters.GetValueOrDefault(sink.Transport.Sink, static _ => true), sink.Report, due.Add);
        _pump = new(_store, _lanes, _acks, delivery, due, options, time);
    }

    public static async Task<OutboxSession> OpenAsync(OutboxSink sink, CancellationToken ending)
    {
        // A plan of a long backlog takes its time; acknowledgements must come before the lease is over.
        var reading = await OutboxConnection.OpenAsync(sink.Database.Connections, isReader: true, TimeSpan.FromMinutes(10), ending).ConfigureAwait(false);
        try
        {
            var writing = await OutboxConnection.OpenAsync(sink.Database.Connections, isReader: false, sink.Options.LeaseLength / 3, ending).ConfigureAwait(false);
            return new(sink, reading, writing, ending);
        }
        catch
        {
            await reading.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Works until told to stop; then what is being sent is finished and kept, and the lanes are given back.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await _store.CreateCursorsAsync(_sink.Options.StartAt, _over.Token).ConfigureAwait(false);
        await KeepAsync(_over.Token).ConfigureAwait(false);
        var pumping = _pump.RunAsync(stopping, _over.Token);
        _running.AddRange([pumping, KeepingAsync(_over.Token), _acks.RunAsync(_over.Token), ListenAsync(_over.Token), MeasureAsync(_over.Token)]);
        await (await Task.WhenAny([.. _running, _pump.Failure]).ConfigureAwait(false)).ConfigureAwait(false);
        await pumping.ConfigureAwait(false);

        await Task.WhenAll(_lanes.Works).ConfigureAwait(false);
        await _acks.FlushAsync(_lanes.Held, _over.Token).ConfigureAwait(false);
        await _lanes.ReleaseAsync(all: true, _over.Token).ConfigureAwait(false);
        await _store.LeaveAsync(_over.Token).ConfigureAwait(false);
    }

    /// <summary>There may be something to read.</summary>
    public void Wake() => _pump.Wake();

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        _sink.Report.Lag(null);
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_lanes.Works).ConfigureAwait(false);
        _lanes.Dispose();
        await _reading.DisposeAsync().ConfigureAwait(false);
        await _writing.DisposeAsync().ConfigureAwait(false);
        _acks.Dispose();
        _over.Dispose();
    }

    private async Task KeepingAsync(CancellationToken cancellationToken)
    {
        var third = _sink.Options.LeaseLength / 3;
        var look = third < TimeSpan.FromSeconds(1) ? third : TimeSpan.FromSeconds(1);
        var keptAt = _sink.Time.GetTimestamp();
        while (true)
        {
            await Task.Delay(look, _sink.Time, cancellationToken).ConfigureAwait(false);
            var isDue = _sink.Time.GetElapsedTime(keptAt) >= third - look;
            if (isDue)
            {
                keptAt = _sink.Time.GetTimestamp();
            }

            if (await (isDue ? KeepAsync(cancellationToken) : _lanes.BalanceAsync(cancellationToken)).ConfigureAwait(false))
            {
                _pump.Wake();
            }
        }
    }

    /// <summary>Whether lanes have come, or are to go.</summary>
    private async Task<bool> KeepAsync(CancellationToken cancellationToken)
    {
        await _acks.FlushAsync(_lanes.Held, cancellationToken).ConfigureAwait(false);
        await _lanes.PresentAsync(_sink.Health.Failure, cancellationToken).ConfigureAwait(false);
        var isChanged = await _lanes.BalanceAsync(cancellationToken).ConfigureAwait(false);
        var (lanes, messages) = await _store.FindAheadAsync(cancellationToken).ConfigureAwait(false);
        if (lanes > 0 || messages)
        {
            _sink.Report.CursorsAhead(lanes);
        }

        return isChanged;
    }

    /// <summary>One dispatcher measures for all: the one that leads the first lane.</summary>
    private async Task MeasureAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var leads = _lanes.Held.Any(l => l.Number == 0);
            _sink.Report.Lag(leads ? await _store.LagAsync(cancellationToken).ConfigureAwait(false) : null);
            await Task.Delay(MeasureInterval, _sink.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await _sink.Signal.WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false))
            {
                _pump.Wake();
            }
        }
    }
}
