namespace EfConcurrency.Outbox;

/// <summary>Reads the log for all idle lanes together and gives each its work.</summary>
internal sealed class OutboxPump(OutboxStore store, OutboxLanes lanes, OutboxAcks acks, OutboxDelivery delivery, OutboxDueTimes due, OutboxDispatcherOptions options, TimeProvider time)
{
    /// <summary>In a steady stream, reads are this far apart: each finds several messages then.</summary>
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(5);

    private readonly OutboxWake _wake = new();
    private readonly TaskCompletionSource _failure = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Fails when the work of a lane does.</summary>
    public Task Failure => _failure.Task;

    /// <summary>There may be something to read.</summary>
    public void Wake() => _wake.Set();

    public async Task RunAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        var pause = options.MinPollInterval;
        while (!either.IsCancellationRequested)
        {
            var found = await RoundAsync(stopping, cancellationToken).ConfigureAwait(false);
            if (found)
            {
                pause = options.MinPollInterval;
                await Task.Delay(Spacing, time, cancellationToken).ConfigureAwait(false);
            }
            else if (await WaitAsync(Quiet(pause), either.Token).ConfigureAwait(false))
            {
                pause = options.MinPollInterval;
            }
            else
            {
                pause = pause * 2 < options.MaxPollInterval ? pause * 2 : options.MaxPollInterval;
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>A lane that gets idle ends the wait anyhow.</summary>
    private TimeSpan Quiet(TimeSpan pause) => lanes.Idle.Count == 0 ? options.MaxPollInterval : pause < due.Left ? pause : due.Left;

    private async Task<bool> WaitAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            return await _wake.WaitAsync(pause, time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<bool> RoundAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        await lanes.ReleaseAsync(all: false, cancellationToken).ConfigureAwait(false);
        var found = due.Left == TimeSpan.Zero && await RetryAsync(stopping, cancellationToken).ConfigureAwait(false);
        found |= await ReadAsync(stopping, cancellationToken).ConfigureAwait(false);
        return await PlanAsync(stopping, cancellationToken).ConfigureAwait(false) || found;
    }

    private async Task<bool> RetryAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        var idle = lanes.Idle;
        if (idle.Count == 0)
        {
            return false;
        }

        var version = due.Version;
        var (next, messages) = await store.DueAsync(idle, options.DeadLetterHoldsKey, options.BatchSize, options.MaxBatchBytes, cancellationToken).ConfigureAwait(false);
        due.Asked(messages.Count > 0 ? TimeSpan.Zero : next, version);
        var byLane = messages.ToLookup(m => m.Lane);
        foreach (var lane in idle.Where(l => byLane.Contains(l.Number)))
        {
            Start(lane, () => delivery.RetryAsync(lane, [.. byLane[lane.Number]], stopping, lane.Over));
        }

        return messages.Count > 0;
    }

    private async Task<bool> ReadAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        var idle = lanes.Idle.Where(l => l.Progress.PlannedTo is null).ToList();
        if (idle.Count == 0)
        {
            return false;
        }

        var page = await store.ReadAsync(idle, 4 * options.BatchSize, options.MaxBatchBytes, cancellationToken).ConfigureAwait(false);
        var byLane = page.Messages.ToLookup(m => m.Lane);
        foreach (var lane in idle)
        {
            var after = page.IsAll ? OutboxProgress.At(page.Seen) : lane.Progress.UpTo(page.Seen, page.Messages[^1].Id);
            if (byLane.Contains(lane.Number))
            {
                Start(lane, () => delivery.DeliverAsync(lane, [.. byLane[lane.Number]], page.Seen, after, stopping, lane.Over));
            }
            else
            {
                // Kept with the next renewal: that nothing was there may be found out again.
                lane.Progress = after;
            }
        }

        return page.Messages.Count > 0;
    }

    /// <summary>Goes on with backlogs.</summary>
    private async Task<bool> PlanAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        var idle = lanes.Idle.Where(l => l.Progress.PlannedTo is not null).ToList();
        if (idle.Count == 0)
        {
            return false;
        }

        // All plans together stay within the limit.
        var count = Math.Max(1000, (int)((long)options.MaxPlanned * idle.Count / lanes.Held.Count));
        var places = await store.PlanAsync(idle, count, cancellationToken).ConfigureAwait(false);
        var upTo = places.Count == count ? places[^1].Place.Id : (long?)null;
        var byLane = places.GroupBy(p => p.Lane, p => p.Place).ToDictionary(g => g.Key, g => g.ToArray());
        foreach (var lane in idle)
        {
            if (byLane.TryGetValue(lane.Number, out var mine))
            {
                Start(lane, () => DrainAsync(lane, new(mine, upTo), stopping));
            }
            else
            {
                // A lane that is ahead of the others has nothing up to where this plan ends, and stays where it is.
                _ = acks.Add(lane, upTo is { } id ? lane.Progress with { LastId = Math.Max(id, lane.Progress.LastId) } : lane.Progress.Finished(), new());
            }
        }

        return true;
    }

    private async Task DrainAsync(LedLane lane, OutboxPlan plan, CancellationToken stopping)
    {
        var plannedTo = lane.Progress.PlannedTo!;
        var next = FetchAsync(plan, lane.Over);
        while (await next.ConfigureAwait(false) is { } messages && !stopping.IsCancellationRequested)
        {
            var isLast = plan.IsDone;
            var after = (isLast, plan.UpTo) switch
            {
                (true, null) => OutboxProgress.At(plannedTo),
                (true, { } upTo) => lane.Progress with { LastId = upTo },
                _ => lane.Progress with { LastId = messages[^1].Id },
            };

            // The next page is fetched while this one is sent.
            next = FetchAsync(plan, lane.Over);
            if (!await delivery.DeliverAsync(lane, messages, plannedTo, after, stopping, lane.Over).ConfigureAwait(false) || isLast)
            {
                break;
            }
        }

        await next.ConfigureAwait(false);
    }

    /// <summary>The next page; null: the plan is done, or the rows have been moved and it must be made anew.</summary>
    private async Task<List<LoggedMessage>?> FetchAsync(OutboxPlan plan, CancellationToken cancellationToken)
        => plan.IsDone ? null : await store.FetchAsync(plan.Take(options.BatchSize, options.MaxBatchBytes), cancellationToken).ConfigureAwait(false);

    private void Start(LedLane lane, Func<Task> work) => lane.Start(
        async () =>
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The lane is over, or the process ends: the rest is still in the log.
            }
            catch (Exception failure)
            {
                _failure.TrySetException(failure);
            }
        },
        _wake.Set);
}
