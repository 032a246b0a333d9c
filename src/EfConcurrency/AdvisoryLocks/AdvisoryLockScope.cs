namespace EfConcurrency.AdvisoryLocks;

/// <summary>What ends the lock.</summary>
public enum AdvisoryLockScope
{
    /// <summary>
    /// The transaction: the one that is open, or else one that the call opens around the work. Right behind every pooler; released
    /// exactly when what the work wrote becomes visible.
    /// </summary>
    Transaction,

    /// <summary>
    /// A connection of its own, beside the context's. For work that takes long or several transactions. Refused behind a pooler.
    /// The lock and the work can be parted by a failure: see <see cref="AdvisoryLock.LostToken"/>.
    /// </summary>
    Session,
}
