namespace EfConcurrency.AdvisoryLocks;

/// <summary>Why a lock was refused.</summary>
public enum AdvisoryLockRefusal
{
    /// <summary>The transaction is repeatable read or serializable: its snapshot is older than the wait for the lock.</summary>
    SnapshotTooOld,

    /// <summary>The server is a standby: its locks are its own, and the primary knows nothing of them.</summary>
    Standby,

    /// <summary>The context is in a <c>TransactionScope</c>.</summary>
    AmbientTransaction,

    /// <summary>The execution strategy may run the work again, but the context has unsaved changes that a second run could not make again.</summary>
    UnsavedChanges,

    /// <summary>A session lock was asked for inside an open transaction, or the work left one open: the lock would end before the commit.</summary>
    OpenTransaction,

    /// <summary>The work ended the transaction that held the lock.</summary>
    TransactionEnded,

    /// <summary>The work saves again after a save of it has failed.</summary>
    SaveFailed,
}
