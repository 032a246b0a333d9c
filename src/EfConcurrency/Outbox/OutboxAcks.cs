namespace EfConcurrency.Outbox;

/// <summary>
/// Collects what was done, and keeps it in the database at most once in an interval for all lanes together: an update of a cursor leaves a dead row,
/// and a transaction that stays open for long lets those pile up.
/// </summary>
internal sealed class OutboxAcks(OutboxStore store, OutboxLanes lanes, OutboxDispatcherOptions options, OutboxReport report, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly OutboxWake _wanted = new();
    private Dictionary<LedLane, OutboxChanges> _dirty = [];
    private TaskCompletionSource _next = NewFlush();

    /// <summary>To be kept with the next flush.</summary>
    /// <returns>A task that ends with that flush; it fails when the connection does.</returns>
    public Task Add(LedLane lane, OutboxProgress progress, OutboxChanges changes)
    {
        lock (_lock)
        {
            lane.Progress = progress;
            if (!_dirty.TryGetValue(lane, out var before))
            {
                _dirty[lane] = before = new();
            }

            before.Add(changes);
            _wanted.Set();
            return _next.Task;
        }
    }

    /// <summary>Flushes when there is something, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _wanted.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(false);
            await Task.Delay(options.AckInterval, time, cancellationToken).ConfigureAwait(false);
            await FlushAsync([], cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps what was done, and renews these lanes in any case.</summary>
    public async Task FlushAsync(IEnumerable<LedLane> renewals, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var (acks, changes, flush) = Swap(renewals);
            try
            {
                if (acks.Count > 0)
                {
                    var sentAt = time.GetTimestamp();
                    var kept = await store.AckAsync(acks, changes, options.LeaseLength, lanes.Timeline, cancellationToken).ConfigureAwait(false);
                    var trust = options.LeaseLength - time.GetElapsedTime(sentAt);
                    foreach (var (lane, _) in acks)
                    {
                        if (kept.Contains(lane.Number))
                        {
                            lane.TrustFor(trust);
                        }
                        else if (lanes.Drop(lane))
                        {
                            report.Fenced(lane.Number);
                        }
                    }
                }

                flush.SetResult();
            }
            catch (Exception failure)
            {
                flush.SetException(failure);
                _ = flush.Task.Exception;
                throw;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private static TaskCompletionSource NewFlush() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private (List<(LedLane Lane, OutboxProgress Progress)> Acks, OutboxChanges Changes, TaskCompletionSource Flush) Swap(IEnumerable<LedLane> renewals)
    {
        lock (_lock)
        {
            var changes = new OutboxChanges();
            foreach (var change in _dirty.Values)
            {
                changes.Add(change);
            }

            // In one order for all dispatchers.
            var acks = _dirty.Keys.Union(renewals).OrderBy(l => l.Number).Select(l => (l, l.Progress)).ToList();
            var flush = _next;
            _dirty = [];
            _next = NewFlush();
            return (acks, changes, flush);
        }
    }
}
