namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// The server's table of locks, which all sessions share, is full (SQLSTATE 53200); the work did not run.
/// https://www.postgresql.org/docs/current/runtime-config-locks.html#GUC-MAX-LOCKS-PER-TRANSACTION
/// </summary>
public sealed class AdvisoryLockTableFullException : Exception
{
    internal AdvisoryLockTableFullException(AdvisoryKeySet keys, Exception innerException)
        : base(
            $"The server has no room for {keys.Count} more advisory lock(s): its table of locks is full. Lock one key that stands for many, "
            + "hold fewer at a time, or raise max_locks_per_transaction.",
            innerException)
        => Keys = keys;

    /// <summary>The keys of the call.</summary>
    public AdvisoryKeySet Keys { get; }
}
