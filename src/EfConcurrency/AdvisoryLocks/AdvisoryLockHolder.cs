namespace EfConcurrency.AdvisoryLocks;

/// <summary>An advisory lock that is held, by whom, and who waits for it.</summary>
public sealed class AdvisoryLockHolder
{
    internal AdvisoryLockHolder(AdvisoryKey key, string? name, AdvisoryLockMode mode, LockSession session, IReadOnlyList<AdvisoryLockWaiter> waiters)
    {
        Key = key;
        Name = name;
        Mode = mode;
        Session = session;
        Waiters = waiters;
    }

    /// <summary>The number or pair of numbers. Its own name is not set.</summary>
    public AdvisoryKey Key { get; }

    /// <summary>The name, from the table of names (<c>HasAdvisoryLockNames</c>) or from a statement that shows it; null when it is not known.</summary>
    public string? Name { get; }

    /// <summary>Who may hold the lock at the same time.</summary>
    public AdvisoryLockMode Mode { get; }

    /// <summary>Who holds it.</summary>
    public LockSession Session { get; }

    /// <summary>
    /// The lock is held since then or later: since the holder's transaction began, or its session. PostgreSQL does not keep the time itself.
    /// </summary>
    public DateTimeOffset? Since => Session.TransactionStartedAt ?? Session.StartedAt;

    /// <summary>Who waits for the key, longest first.</summary>
    public IReadOnlyList<AdvisoryLockWaiter> Waiters { get; }

    /// <summary>For messages.</summary>
    /// <returns>Lock, mode and holder.</returns>
    public override string ToString() => $"{Name ?? Key.ToString()} {Mode} held by {Session}, {Waiters.Count} waiting";
}
