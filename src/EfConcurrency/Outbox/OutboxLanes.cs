namespace EfConcurrency.Outbox;

/// <summary>The lanes that this dispatcher leads: as many as are its fair share among those that live.</summary>
internal sealed class OutboxLanes(OutboxStore store, int laneCount, OutboxDispatcherOptions options, OutboxReport report, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<short, LedLane> _held = [];
    private readonly Dictionary<short, Task> _ending = [];
    private readonly int _capacity = Math.Min(options.MaxLanes ?? laneCount, laneCount);

    /// <summary>The server's timeline when the lanes were acquired.</summary>
    public string Timeline { get; private set; } = "";

    public IReadOnlyList<LedLane> Held
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Values];
            }
        }
    }

    /// <summary>Those that can be given work.</summary>
    public IReadOnlyList<LedLane> Idle
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Values.Where(l => !l.IsBusy && !l.IsLeaving && !l.Over.IsCancellationRequested && !IsEnding(l.Number))];
            }
        }
    }

    /// <summary>What is being done on lanes, also on those that are not ours any more.</summary>
    public IReadOnlyList<Task> Works
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Values.Select(l => l.Work), .. _ending.Values];
            }
        }
    }

    /// <summary>The share of one dispatcher: as even as the capacities allow, and nothing left over that somebody could take.</summary>
    public static int Share(IReadOnlyCollection<int> capacities, int lanes, int mine)
    {
        var level = Enumerable.Range(1, lanes).FirstOrDefault(l => capacities.Sum(c => Math.Min(c, l)) >= lanes, lanes);
        return Math.Min(mine, level);
    }

    public Task PresentAsync(string? failure, CancellationToken cancellationToken)
        => store.PresentAsync(_capacity, options.LeaseLength, failure, cancellationToken);

    /// <summary>Takes lanes that are free, up to the share; those above it are marked as leaving. Whether there are such.</summary>
    public async Task<bool> BalanceAsync(CancellationToken cancellationToken)
    {
        DropUntrusted();
        var held = Held;
        var numbers = held.Select(l => l.Number).ToArray();
        var (capacities, free) = await store.LookAsync(numbers, cancellationToken).ConfigureAwait(false);
        var share = Share(capacities, laneCount, _capacity);
        if (held.Count < share && free > 0)
        {
            await AcquireAsync(share - held.Count, numbers, cancellationToken).ConfigureAwait(false);
        }

        foreach (var lane in held.OrderBy(l => l.IsBusy).Take(held.Count - share))
        {
            lane.IsLeaving = true;
        }

        return held.Count > share || Held.Count > held.Count;
    }

    /// <summary>Gives back what is leaving and idle; everything when <paramref name="all"/>.</summary>
    public async Task ReleaseAsync(bool all, CancellationToken cancellationToken)
    {
        var leaving = Held.Where(l => (all || l.IsLeaving) && !l.IsBusy).ToList();
        if (leaving.Count > 0)
        {
            leaving.ForEach(l => Drop(l));
            await store.ReleaseAsync(leaving, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The lane is not ours any more; whether it was until now.</summary>
    public bool Drop(LedLane lane)
    {
        lock (_lock)
        {
            if (_held.TryGetValue(lane.Number, out var held) && held == lane)
            {
                _held.Remove(lane.Number);
                _ending[lane.Number] = IsEnding(lane.Number) ? Task.WhenAll(_ending[lane.Number], lane.Work) : lane.Work;
                report.Leads(_held.Count);
                lane.End();
                return true;
            }

            return false;
        }
    }

    public void Dispose()
    {
        foreach (var lane in Held)
        {
            Drop(lane);
            lane.Dispose();
        }
    }

    /// <summary>A lane that was lost and came back: what was begun on it before must be over, or it would be sent by two.</summary>
    private bool IsEnding(short lane) => _ending.TryGetValue(lane, out var work) && !work.IsCompleted;

    private void DropUntrusted()
    {
        foreach (var lane in Held.Where(l => l.Over.IsCancellationRequested))
        {
            Drop(lane);
            report.Fenced(lane.Number);
        }
    }

    private async Task AcquireAsync(int count, short[] held, CancellationToken cancellationToken)
    {
        var sentAt = time.GetTimestamp();
        var (timeline, acquired) = await store.AcquireAsync(count, held, options.LeaseLength, cancellationToken).ConfigureAwait(false);
        if (acquired.Count == 0)
        {
            return;
        }

        if (Held.Count > 0 && timeline != Timeline)
        {
            throw new OutboxServerChangedException();
        }

        Timeline = timeline;
        var waiting = await store.WaitingLanesAsync(options.DeadLetterHoldsKey, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            foreach (var lane in acquired)
            {
                lane.HasWaiting = waiting.Contains(lane.Number);
                lane.TrustFor(options.LeaseLength - time.GetElapsedTime(sentAt));
                _held[lane.Number] = lane;
            }

            report.Leads(_held.Count);
        }
    }
}
