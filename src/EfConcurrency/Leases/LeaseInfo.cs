namespace EfConcurrency.Leases;

/// <summary>What the database knows of a lease.</summary>
/// <param name="Name">Its name.</param>
/// <param name="FencingToken">Token of the last acquisition.</param>
/// <param name="Holder">The acquisition that holds it; null when it was released.</param>
/// <param name="HolderInfo">Who that is, or was last, for people.</param>
/// <param name="AcquiredAt">When it was last acquired, by the database's clock.</param>
/// <param name="RenewedAt">When it was last renewed, by the database's clock.</param>
/// <param name="Remaining">Time until it expires; zero when it is free; <see cref="TimeSpan.MaxValue"/> for a token from elsewhere, which does not.</param>
public sealed record LeaseInfo(
    string Name, long FencingToken, Guid? Holder, string? HolderInfo, DateTimeOffset? AcquiredAt, DateTimeOffset? RenewedAt, TimeSpan Remaining)
{
    /// <summary>Whether it is held.</summary>
    public bool IsHeld => Remaining > TimeSpan.Zero;
}
