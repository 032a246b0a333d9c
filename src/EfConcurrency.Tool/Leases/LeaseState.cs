namespace EfConcurrency.Tool.Leases;

/// <summary>Whether somebody works under a lease.</summary>
internal enum LeaseState
{
    /// <summary>Released in order.</summary>
    Free,

    /// <summary>Held and renewed in time.</summary>
    Held,

    /// <summary>Expired without having been released: its holder died or hangs, and nobody has taken over.</summary>
    Abandoned,
}
