namespace EfConcurrency.Versioning;

/// <summary>What a unit of <c>RetryOnConflictAsync</c> is to the database.</summary>
public enum ConflictRetryTransaction
{
    /// <summary>
    /// The whole unit, reads and all its saves, is one transaction that the library opens and commits; a lost reply to the commit
    /// is settled. The default. Costs one round trip, for COMMIT.
    /// </summary>
    PerUnit,

    /// <summary>
    /// No transaction: the unit saves once, and that save commits by itself. A second save is refused, because a retry could
    /// repeat the first. A lost connection ends in <c>CommitOutcomeUnknownException</c>, never in a second run.
    /// </summary>
    PerSave,
}
