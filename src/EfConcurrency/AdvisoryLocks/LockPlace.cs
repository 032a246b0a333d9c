namespace EfConcurrency.AdvisoryLocks;

/// <summary>Where a lock is taken.</summary>
internal enum LockPlace
{
    /// <summary>In a transaction that the library opens and commits.</summary>
    OwnTransaction,

    /// <summary>In the caller's transaction.</summary>
    CallersTransaction,

    /// <summary>In a session of its own.</summary>
    Session,
}
