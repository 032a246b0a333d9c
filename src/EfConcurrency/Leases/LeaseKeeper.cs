namespace EfConcurrency.Leases;

/// <summary>
/// Renews a lease after each third of its time. An attempt that gets no answer in that time is left alone and another is started: over a cut
/// connection an answer can take half a minute to fail. Two are under way at most.
/// </summary>
internal sealed class LeaseKeeper : IAsyncDisposable
{
    private const int MaxAttempts = 2;

    private readonly Lease _lease;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly LeaseReport _report;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _attempts;

    public LeaseKeeper(Lease lease, TimeSpan interval, TimeProvider time, LeaseReport report)
    {
        _lease = lease;
        _interval = interval;
        _time = time;
        _report = report;

        // Not a part of the caller's flow: no AsyncLocal of a request may live as long as the lease.
        using (ExecutionContext.SuppressFlow())
        {
            _loop = Task.Run(LoopAsync);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    private async Task LoopAsync()
    {
        var wait = _interval;
        while (await DelayAsync(wait).ConfigureAwait(false) && _lease.IsHeld)
        {
            if (_attempts >= MaxAttempts)
            {
                wait = Soon;
                continue;
            }

            Interlocked.Increment(ref _attempts);
            var attempt = RenewAsync();
            var answered = await Task.WhenAny(attempt, DelayAsync(_interval)).ConfigureAwait(false) == attempt;
            wait = answered && await attempt.ConfigureAwait(false) ? _interval : Soon;
        }
    }

    /// <summary>After a failure: well before the end, and not in a rush.</summary>
    private TimeSpan Soon => _interval / 4;

    private async Task<bool> RenewAsync()
    {
        try
        {
            await _lease.RenewAsync(_stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is LeaseLostException or OperationCanceledException)
        {
            return false;
        }
        catch (Exception failure)
        {
            _report.NotRenewed(_lease, failure);
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _attempts);
        }
    }

    private async Task<bool> DelayAsync(TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, _time, _stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
