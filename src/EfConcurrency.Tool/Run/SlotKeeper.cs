using EfConcurrency.JobSlots;

namespace EfConcurrency.Tool.Run;

/// <summary>
/// Gives signs of life for a slot after each third of its time. Trust ends as a lease's does: by the monotonic clock, counted from before the last sign of life that
/// was answered was sent, less a margin.
/// </summary>
internal sealed class SlotKeeper : IAsyncDisposable
{
    private const int MostAttempts = 2;

    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(1);

    private readonly JobSlotHandle _slot;
    private readonly TimeSpan _timeToLive;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Task _loop;
    private long _trustedFrom = long.MinValue;
    private int _attempts;

    /// <param name="slot">The slot.</param>
    /// <param name="timeToLive">How long a sign of life lasts.</param>
    /// <param name="sentAt">Timestamp from before the claim was sent.</param>
    public SlotKeeper(JobSlotHandle slot, TimeSpan timeToLive, long sentAt)
    {
        _slot = slot;
        _timeToLive = timeToLive;
        TrustFrom(sentAt);
        _loop = LoopAsync();
    }

    /// <summary>Cancelled when another has the slot, or may have it.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>What the database said; null when it did not answer.</summary>
    public JobSlotLostException? Loss { get; private set; }

    private TimeSpan Interval => _timeToLive / 3;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        var wait = Interval;
        while (!_lost.IsCancellationRequested)
        {
            await Task.Delay(wait, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            wait = _attempts < MostAttempts && await IsExtendedInTimeAsync() ? Interval : Interval / 4;
        }
    }

    /// <summary>An attempt that gets no answer is left alone: over a cut connection even its cancellation can hang.</summary>
    private async Task<bool> IsExtendedInTimeAsync()
    {
        var attempt = IsExtendedAsync();
        await Task.WhenAny(attempt, Task.Delay(Interval, _stop.Token));
        return attempt.IsCompleted && await attempt;
    }

    private async Task<bool> IsExtendedAsync()
    {
        Interlocked.Increment(ref _attempts);
        var sentAt = TimeProvider.System.GetTimestamp();
        try
        {
            await _slot.ExtendAsync(_timeToLive, CancellationToken.None);
            TrustFrom(sentAt);
            return true;
        }
        catch (JobSlotLostException lost)
        {
            Loss = lost;
            await _lost.CancelAsync();
            return false;
        }
        catch (Exception)
        {
            // Whatever it is, it is no sign of life. Tried again soon, until the time is over.
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _attempts);
        }
    }

    /// <summary>Of two signs of life whose answers cross, the later one counts.</summary>
    private void TrustFrom(long sentAt)
    {
        lock (_lock)
        {
            if (sentAt >= _trustedFrom)
            {
                _trustedFrom = sentAt;
                var margin = _timeToLive / 10 < LongestMargin ? _timeToLive / 10 : LongestMargin;
                var left = _timeToLive - margin - TimeProvider.System.GetElapsedTime(sentAt);
                _lost.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            }
        }
    }
}
