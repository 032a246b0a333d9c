namespace EfConcurrency.Idempotency;

/// <summary>How the key and the work are tied together.</summary>
public enum IdempotencyMode
{
    /// <summary>
    /// Key, work and response are one transaction: after a crash nothing is left, and the next one runs. For work that is all in this database.
    /// The default.
    /// </summary>
    SameTransaction,

    /// <summary>
    /// Key and response are written by the one save that ends the work, with no round trip of their own. Of two that run at the same time both
    /// work, and one is rolled back and replays. For short work in this database that makes one save.
    /// </summary>
    InsertLast,

    /// <summary>The claim is committed first, with a lease, and the work goes on in phases that can be resumed. For work with effects elsewhere.</summary>
    TwoPhase,
}
