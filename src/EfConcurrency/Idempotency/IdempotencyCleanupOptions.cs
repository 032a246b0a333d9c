namespace EfConcurrency.Idempotency;

/// <summary>Settings of the service that deletes expired keys.</summary>
public sealed class IdempotencyCleanupOptions
{
    /// <summary>How often it looks; 1 second to 1 day, and a quarter more or less, so that processes don't do it together.</summary>
    /// <value>1 minute</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>An operation whose worker has been gone for this long counts as stuck in <c>efconcurrency.idempotency.stuck</c>.</summary>
    /// <value>5 minutes</value>
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromMinutes(5);

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Interval, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Interval, TimeSpan.FromDays(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(StuckAfter, TimeSpan.Zero);
    }
}
