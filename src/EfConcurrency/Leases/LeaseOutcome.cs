namespace EfConcurrency.Leases;

/// <summary>How an attempt to acquire a lease ended.</summary>
public enum LeaseOutcome
{
    /// <summary>It is ours.</summary>
    Acquired,

    /// <summary>Another holds it.</summary>
    Held,

    /// <summary>It has expired, but a transaction of its last holder is about to commit, or another contender was first by a hair. Try again soon.</summary>
    Contended,

    /// <summary>The database could not be asked: no connection, or a server that takes no writes.</summary>
    Unavailable,
}
