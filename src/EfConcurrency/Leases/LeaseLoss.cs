namespace EfConcurrency.Leases;

/// <summary>How a lease ended.</summary>
public enum LeaseLoss
{
    /// <summary>This process released it.</summary>
    Released,

    /// <summary>The database says that it is another's, or was forced free.</summary>
    TakenOver,

    /// <summary>Its time, by the local monotonic clock, was over before a renewal came through.</summary>
    Expired,
}
