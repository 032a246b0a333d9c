namespace EfConcurrency.Leases;

/// <summary>The database's answer to an acquisition.</summary>
/// <param name="IsAcquired">Whether the lease is ours.</param>
/// <param name="FencingToken">The current token.</param>
/// <param name="HolderInfo">The current holder.</param>
/// <param name="Remaining">The time left when the database answered.</param>
internal sealed record LeaseAnswer(bool IsAcquired, long FencingToken, string? HolderInfo, TimeSpan Remaining);
