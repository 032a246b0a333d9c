namespace EfConcurrency.AspNetCore.Health;

/// <summary>What the health check takes for a problem.</summary>
public sealed class EfConcurrencyHealthOptions
{
    /// <summary>
    /// The clocks of this machine and of the database may differ by so much before the check is degraded. The library itself trusts the
    /// database's clock only; logs and tokens of the application may not.
    /// </summary>
    /// <value>2 seconds</value>
    public TimeSpan MaxClockSkew { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Whether a pooler between application and server is expected. When false, one makes the check degraded, whatever its mode: session locks are refused
    /// behind it.
    /// </summary>
    /// <value>true</value>
    public bool AllowPooler { get; set; } = true;

    /// <summary>
    /// Whether that pooler may give each transaction another server connection. When false, that makes the check degraded: <c>LISTEN</c>, <c>SET</c> and
    /// prepared statements of the application's own are lost. The library itself works behind one.
    /// </summary>
    /// <value>true</value>
    public bool AllowTransactionPooling { get; set; } = true;

    /// <summary>
    /// A lease that expired without being released, was last renewed so long ago, and that nobody has taken over makes the check degraded: the
    /// work it protects is not being done.
    /// </summary>
    /// <value>1 minute</value>
    public TimeSpan MaxAbandonedLeaseAge { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>An idempotent operation whose worker has been gone for so long, or that needs resolution, makes the check degraded.</summary>
    /// <value>5 minutes</value>
    public TimeSpan MaxStuckKeyAge { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A message of the outbox that has not been delivered for so long makes the check degraded.</summary>
    /// <value>1 minute</value>
    public TimeSpan MaxOutboxAge { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>More dead letters of one transport than these make the check degraded: somebody has to replay or purge them.</summary>
    /// <value>0</value>
    public long MaxDeadLetters { get; set; }

    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense; the message names it.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(MaxClockSkew, TimeSpan.Zero, nameof(MaxClockSkew));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAbandonedLeaseAge, TimeSpan.Zero, nameof(MaxAbandonedLeaseAge));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxStuckKeyAge, TimeSpan.Zero, nameof(MaxStuckKeyAge));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOutboxAge, TimeSpan.Zero, nameof(MaxOutboxAge));
        ArgumentOutOfRangeException.ThrowIfNegative(MaxDeadLetters, nameof(MaxDeadLetters));
    }
}
