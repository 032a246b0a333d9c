namespace EfConcurrency.AdvisoryLocks;

/// <summary>How a lock is taken. Make one and keep it.</summary>
public sealed class AdvisoryLockOptions
{
    internal static readonly AdvisoryLockOptions Default = new();

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>What ends the lock.</summary>
    /// <value><see cref="AdvisoryLockScope.Transaction"/></value>
    public AdvisoryLockScope Scope { get; init; } = AdvisoryLockScope.Transaction;

    /// <summary>Who may hold the lock at the same time.</summary>
    /// <value><see cref="AdvisoryLockMode.Exclusive"/></value>
    public AdvisoryLockMode Mode { get; init; } = AdvisoryLockMode.Exclusive;

    /// <summary>
    /// Longest wait for all keys together. Zero doesn't wait; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> waits until cancelled.
    /// A <c>statement_timeout</c> of the role or the database that is shorter ends the wait too.
    /// </summary>
    /// <value>null: 5 s for <c>WithAdvisoryLockAsync</c>, zero for <c>TryWithAdvisoryLockAsync</c></value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Names the kind of lock in metrics and spans, such as <c>invoice:{id}</c>. Never the key itself: each value is a time series of its own.
    /// </summary>
    /// <value>null: not told apart</value>
    public string? Resource { get; init; }

    /// <summary>
    /// Session scope only: takes the lock behind a pooler that gives each client a server connection of its own (PgBouncer's
    /// <c>pool_mode=session</c>). Behind transaction or statement pooling two clients would hold the same lock, and nobody could release it.
    /// </summary>
    /// <value>false: refused behind any pooler</value>
    public bool AllowSessionPooling { get; init; }

    /// <summary>Session scope only: how often the idle connection that holds the lock is asked whether it still lives. A server that ends it is noticed at once.</summary>
    /// <value>5 s</value>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value makes no sense; the message names it.</exception>
    internal void Validate()
    {
        if (Timeout is { } timeout && timeout != System.Threading.Timeout.InfiniteTimeSpan && (timeout < TimeSpan.Zero || timeout.TotalMilliseconds > int.MaxValue))
        {
            throw new ArgumentOutOfRangeException(
                nameof(Timeout), timeout, "Timeout must not be negative, nor above 24 days. Zero doesn't wait; Timeout.InfiniteTimeSpan waits until cancelled.");
        }

        if (!Enum.IsDefined(Scope))
        {
            throw new ArgumentOutOfRangeException(nameof(Scope), Scope, "Scope is Transaction or Session.");
        }

        if (!Enum.IsDefined(Mode))
        {
            throw new ArgumentOutOfRangeException(nameof(Mode), Mode, "Mode is Exclusive or Shared.");
        }

        if (KeepAlive <= TimeSpan.Zero || KeepAlive.TotalMilliseconds > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(KeepAlive), KeepAlive, "KeepAlive must be above zero: it is how soon a lost session lock is noticed.");
        }
    }

    /// <summary>The wait in whole milliseconds (rounded up, so that a short wait is not none), or null for one without end.</summary>
    internal int? WaitMilliseconds(bool isTry)
    {
        var timeout = Timeout ?? (isTry ? TimeSpan.Zero : Patience);
        return timeout == System.Threading.Timeout.InfiniteTimeSpan ? null : (int)Math.Ceiling(timeout.TotalMilliseconds);
    }
}
