namespace EfConcurrency.AdvisoryLocks;

/// <summary>What became of a call.</summary>
public enum AdvisoryLockStatus
{
    /// <summary>The work ran under the lock.</summary>
    Ran,

    /// <summary>The lock was not free in time; the work did not run.</summary>
    Busy,

    /// <summary>The condition did not hold, asked before the lock or again under it; the work did not run.</summary>
    ConditionNotMet,
}
