namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// The server ended the wait for the lock because it was part of a deadlock (SQLSTATE 40P01). The keys of one call can't deadlock with those of another;
/// locks that the transaction already held can. A caller's transaction is as usable as before the call, but still holds them: roll it back and run all of it again.
/// </summary>
public sealed class AdvisoryLockDeadlockException : Exception
{
    internal AdvisoryLockDeadlockException(AdvisoryKeySet keys, Exception innerException)
        : base(
            $"The wait for the advisory lock on {keys} was part of a deadlock: somebody who holds it waits for what this transaction holds. "
            + "Roll back and run the whole unit again (RetryOnConflictAsync does); take all keys of a unit in one call, before any row is written, and it can't happen.",
            innerException)
        => Keys = keys;

    /// <summary>The keys of the call.</summary>
    public AdvisoryKeySet Keys { get; }
}
