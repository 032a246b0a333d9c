namespace EfConcurrency.Outbox;

/// <summary>Delivers messages of one lane, and decides what becomes of those that are not taken.</summary>
internal sealed class OutboxDelivery(
    OutboxStore store, OutboxSender sender, OutboxAcks acks, OutboxDispatcherOptions options, Func<string, bool> wants, OutboxReport report, Action<TimeSpan> due)
{
    /// <summary>Delivers what was read from the log.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="messages">All of the lane up to <paramref name="after"/>, in the order of ids.</param>
    /// <param name="plannedTo">The snapshot that saw them.</param>
    /// <param name="after">Where the lane is when all are done.</param>
    /// <param name="stopping">No new slice is begun.</param>
    /// <param name="cancellationToken">The lane is not ours any more, or the process must end now.</param>
    /// <returns>Whether all are done; otherwise the rest is still in the log.</returns>
    public async Task<bool> DeliverAsync(
        LedLane lane, IReadOnlyList<LoggedMessage> messages, OutboxSnapshot plannedTo, OutboxProgress after, CancellationToken stopping, CancellationToken cancellationToken)
    {
        for (var first = 0; first < messages.Count; first += options.BatchSize)
        {
            if (stopping.IsCancellationRequested)
            {
                return false;
            }

            var slice = messages.Skip(first).Take(options.BatchSize).ToList();
            var upTo = first + slice.Count == messages.Count ? after : lane.Progress.UpTo(plannedTo, slice[^1].Id);
            if (!await DeliverSliceAsync(lane, slice, plannedTo, upTo, stopping, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Delivers what waited beside the log.</summary>
    public async Task RetryAsync(LedLane lane, IReadOnlyList<LoggedMessage> messages, CancellationToken stopping, CancellationToken cancellationToken)
    {
        var (results, isDown) = await sender.SendAsync(messages, stopping, cancellationToken).ConfigureAwait(false);
        var changes = new OutboxChanges();
        var failed = new OutboxFailedKeys();
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            switch (Judge(message, results[i], isDown, failed))
            {
                case { IsDelivered: true }:
                    changes.Done.Add(message);
                    break;
                case { IsOpen: false } verdict:
                    changes.Changing.Add(new(message, verdict.State, verdict.Delay, message.Attempts + 1, verdict.Error));
                    break;
            }
        }

        await AddAsync(lane, lane.Progress, changes, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> DeliverSliceAsync(
        LedLane lane, List<LoggedMessage> messages, OutboxSnapshot plannedTo, OutboxProgress after, CancellationToken stopping, CancellationToken cancellationToken)
    {
        var changes = new OutboxChanges();
        var rest = await SiftAsync(lane, messages, changes, cancellationToken).ConfigureAwait(false);
        while (rest.Count > 0)
        {
            var (results, isDown) = await sender.SendAsync(rest, stopping, cancellationToken).ConfigureAwait(false);
            var failed = new OutboxFailedKeys();
            rest = [.. rest.Where((message, i) => Settle(message, results[i], isDown, failed, changes))];
            if (rest.Count > 0)
            {
                // What is acknowledged ends before the first that is open; later ones that were taken are taken again only after a crash.
                await AddAsync(lane, lane.Progress.UpTo(plannedTo, rest[0].Id - 1), changes, cancellationToken).ConfigureAwait(false);
                changes = new();
                if (stopping.IsCancellationRequested)
                {
                    return false;
                }
            }
        }

        await AddAsync(lane, after, changes, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>What the transport is to be given now; the rest has its place in <paramref name="changes"/>, or is none of this sink's business.</summary>
    private async Task<List<LoggedMessage>> SiftAsync(LedLane lane, List<LoggedMessage> messages, OutboxChanges changes, CancellationToken cancellationToken)
    {
        var mine = messages.FindAll(m => wants(m.Topic));
        HashSet<string> waiting = lane.HasWaiting && mine.Exists(m => m.Key is not null)
            ? await store.WaitingKeysAsync(mine.Where(m => m.Key is not null).Select(m => m.Key!), options.DeadLetterHoldsKey, cancellationToken).ConfigureAwait(false)
            : [];
        var now = new List<LoggedMessage>();
        foreach (var message in mine)
        {
            if (message.DueIn > TimeSpan.Zero)
            {
                changes.Parking.Add(new(message, OutboxPendingState.Delayed, TimeSpan.Zero, Attempts: 0, Error: null));
            }
            else if (message.Key is { } key && waiting.Contains(key))
            {
                changes.Parking.Add(Behind(message));
            }
            else
            {
                now.Add(message);
            }
        }

        return now;
    }

    /// <summary>Whether a message of the log is still open.</summary>
    private bool Settle(LoggedMessage message, SendResult result, bool isDown, OutboxFailedKeys failed, OutboxChanges changes)
    {
        if (result.Status == SendStatus.NotSent && failed.Hold(message.Key))
        {
            changes.Parking.Add(Behind(message));
            return false;
        }

        var verdict = Judge(message, result, isDown, failed);
        if (verdict is { IsDelivered: false, IsOpen: false })
        {
            changes.Parking.Add(new(message, verdict.State, verdict.Delay, Attempts: 1, verdict.Error));
        }

        return verdict.IsOpen;
    }

    private OutboxVerdict Judge(LoggedMessage message, SendResult result, bool isDown, OutboxFailedKeys failed)
    {
        if (result.Status == SendStatus.Ok)
        {
            report.Settled(OutboxOutcome.Delivered);
            return OutboxVerdict.Delivered;
        }

        if (result.Status == SendStatus.NotSent && (isDown || failed.Hold(message.Key) || failed.LetPass(message.Key)))
        {
            return OutboxVerdict.Open;
        }

        var attempts = message.Attempts + 1;
        var isDead = result.Status == SendStatus.Reject || attempts >= options.MaxAttempts;
        failed.Add(message.Key, holds: !isDead || options.DeadLetterHoldsKey);

        if (isDead)
        {
            report.Dead(message, attempts, result.Error);
            return OutboxVerdict.Dead(OutboxChanges.Describe(result.Error));
        }

        report.Settled(OutboxOutcome.Retried);
        var delay = OutboxHealth.BackOff(attempts, options.RetryDelay, options.MaxRetryDelay, Random.Shared.NextDouble());
        return OutboxVerdict.Retry(result.RetryAfter > delay ? result.RetryAfter.Value : delay, OutboxChanges.Describe(result.Error));
    }

    /// <summary>What is beside the log is kept before the lane goes on: its next messages ask the database which keys wait.</summary>
    private async Task AddAsync(LedLane lane, OutboxProgress progress, OutboxChanges changes, CancellationToken cancellationToken)
    {
        lane.HasWaiting |= changes.Parking.Count > 0;
        var kept = acks.Add(lane, progress, changes);
        if (!changes.IsEmpty)
        {
            await kept.WaitAsync(cancellationToken).ConfigureAwait(false);

            // Not before it can be found.
            changes.Parking.ForEach(p => due(p.State == OutboxPendingState.Delayed ? p.Message.DueIn : p.Delay));
            changes.Changing.ForEach(c => due(c.Delay));
        }
    }

    /// <summary>An earlier one of its key waits: it follows it there.</summary>
    private OutboxChanges.Parked Behind(LoggedMessage message)
    {
        report.Settled(OutboxOutcome.Followed);
        return new(message, OutboxPendingState.Retry, TimeSpan.Zero, Attempts: 0, Error: null);
    }
}
