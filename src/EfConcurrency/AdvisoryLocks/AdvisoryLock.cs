namespace EfConcurrency.AdvisoryLocks;

/// <summary>The lock that the work runs under. Only a hint that saves work: what must be correct is checked by the database.</summary>
public sealed class AdvisoryLock
{
    internal AdvisoryLock(Guid id, AdvisoryKeySet keys, AdvisoryLockOptions options, TimeSpan waited, CancellationToken lostToken)
    {
        Id = id;
        Keys = keys;
        Mode = options.Mode;
        Scope = options.Scope;
        Waited = waited;
        LostToken = lostToken;
    }

    /// <summary>Names this acquisition in spans and logs.</summary>
    public Guid Id { get; }

    /// <summary>The keys, in the order in which they were locked.</summary>
    public AdvisoryKeySet Keys { get; }

    /// <summary>Who may hold the lock at the same time.</summary>
    public AdvisoryLockMode Mode { get; }

    /// <summary>What ends the lock.</summary>
    public AdvisoryLockScope Scope { get; }

    /// <summary>How long it took to get, the round trip included.</summary>
    public TimeSpan Waited { get; }

    /// <summary>
    /// Session scope: cancelled when the connection that holds the lock is lost, and so is the lock; the work's own token is cancelled then too.
    /// Transaction scope: never cancelled, because what takes the lock away takes the transaction with it.
    /// </summary>
    public CancellationToken LostToken { get; }
}
