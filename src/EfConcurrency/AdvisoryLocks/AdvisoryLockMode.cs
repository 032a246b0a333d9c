namespace EfConcurrency.AdvisoryLocks;

/// <summary>Who may hold the lock at the same time.</summary>
public enum AdvisoryLockMode
{
    /// <summary>One holder.</summary>
    Exclusive,

    /// <summary>Any number of shared holders, no exclusive one.</summary>
    Shared,
}
