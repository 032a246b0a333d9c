namespace EfConcurrency.Leases;

/// <summary>How a lease is acquired and kept.</summary>
public sealed class LeaseOptions
{
    /// <summary>Shortest time to live: a third of it must be enough for a renewal.</summary>
    internal static readonly TimeSpan MinTimeToLive = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan MaxTimeToLive = TimeSpan.FromDays(7);

    /// <summary>How long the lease lasts without a renewal; after this long others may take it. It is renewed after a third of it. 0.5 s to 7 days.</summary>
    /// <value>30 seconds</value>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long before its end this process stops to trust the lease, so that a clock that runs a little differently from the database's does
    /// no harm. Below a third of <see cref="TimeToLive"/>.
    /// </summary>
    /// <value>a tenth of <see cref="TimeToLive"/>, at most one second</value>
    public TimeSpan? SafetyMargin { get; init; }

    /// <summary>Whether the lease is renewed in the background until it is released. If not, call <see cref="Lease.RenewAsync"/>.</summary>
    /// <value><see langword="true"/></value>
    public bool KeepAlive { get; init; } = true;

    /// <summary>Who holds the lease, for people who look at it: it stands in the lease table and in the exceptions of who is fenced.</summary>
    /// <value>machine name and process id</value>
    public string? HolderInfo { get; init; }

    /// <summary>
    /// How long an acquisition waits for transactions of the last holder that are about to commit when its lease has expired; then the outcome
    /// is <see cref="LeaseOutcome.Contended"/>.
    /// </summary>
    /// <value>200 milliseconds</value>
    public TimeSpan TakeoverWait { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often <see cref="ILeaseManager.AcquireAsync"/> looks whether a lease that is held has become free.</summary>
    /// <value>500 milliseconds</value>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    internal TimeSpan Margin => SafetyMargin ?? TimeSpan.FromTicks(Math.Min(TimeToLive.Ticks / 10, TimeSpan.TicksPerSecond));

    internal TimeSpan RenewInterval => TimeToLive / 3;

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        if (TimeToLive < MinTimeToLive || TimeToLive > MaxTimeToLive)
        {
            throw new ArgumentOutOfRangeException(
                nameof(TimeToLive),
                TimeToLive,
                $"LeaseOptions.TimeToLive must be {MinTimeToLive.TotalSeconds} s to {MaxTimeToLive.TotalDays} days: it is renewed after a third of it, and a shorter one could not be kept over a slow round trip.");
        }

        if (Margin < TimeSpan.Zero || Margin >= RenewInterval)
        {
            throw new ArgumentOutOfRangeException(
                nameof(SafetyMargin), SafetyMargin, $"LeaseOptions.SafetyMargin must be 0 or more and below a third of TimeToLive ({RenewInterval.TotalSeconds} s): the lease is renewed only then.");
        }

        if (TakeoverWait < TimeSpan.FromMilliseconds(1) || TakeoverWait > TimeToLive)
        {
            throw new ArgumentOutOfRangeException(nameof(TakeoverWait), TakeoverWait, "LeaseOptions.TakeoverWait must be 1 ms to TimeToLive.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(PollInterval, TimeSpan.Zero);
    }
}
