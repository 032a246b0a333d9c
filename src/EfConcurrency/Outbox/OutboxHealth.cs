namespace EfConcurrency.Outbox;

/// <summary>Whether the transport works; while it does not, pauses that get longer. Shared by the lanes of a sink.</summary>
internal sealed class OutboxHealth(OutboxReport report, TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private int _failures;
    private TimeSpan _pause;
    private long _failedAt;

    /// <summary>Why it is down, or null.</summary>
    public string? Failure { get; private set; }

    /// <summary>Exponential, capped, and half random.</summary>
    public static TimeSpan BackOff(int failures, TimeSpan first, TimeSpan longest, double random)
        => Math.Min(first.TotalSeconds * Math.Pow(2, failures - 1), longest.TotalSeconds) * TimeSpan.FromSeconds(0.5 + (random / 2));

    public void Failed(Exception failure)
    {
        lock (_lock)
        {
            // Lanes that were sending at the same time fail for the same reason.
            if (_failures == 0 || time.GetElapsedTime(_failedAt) >= _pause)
            {
                _failures++;
                _pause = BackOff(_failures, First, Longest, Random.Shared.NextDouble());
                _failedAt = time.GetTimestamp();
                report.TransportDown(_failures, _pause, failure);
            }

            Failure = OutboxChanges.Describe(failure);
        }
    }

    public void Succeeded()
    {
        if (Volatile.Read(ref _failures) == 0)
        {
            return;
        }

        lock (_lock)
        {
            report.TransportUp(_failures);
            _failures = 0;
            Failure = null;
        }
    }

    /// <summary>Waits while the transport should be left alone.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan left;
        lock (_lock)
        {
            left = _failures == 0 ? TimeSpan.Zero : _pause - time.GetElapsedTime(_failedAt);
        }

        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
