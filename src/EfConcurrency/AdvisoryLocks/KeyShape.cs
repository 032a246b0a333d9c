namespace EfConcurrency.AdvisoryLocks;

/// <summary>What the statement that takes a lock has to deal with. One key is the common case, and needs a third of the time to plan.</summary>
internal enum KeyShape
{
    /// <summary>One 64-bit number.</summary>
    Number,

    /// <summary>One pair of 32-bit numbers.</summary>
    Pair,

    /// <summary>Several keys of either kind.</summary>
    Several,
}
