namespace EfConcurrency.Leases;

/// <summary>A lease was freed by force.</summary>
/// <param name="FencingToken">The token now; whoever held the lease writes under an older one, and is refused.</param>
/// <param name="HeldBy">Who held it last.</param>
public sealed record ForcedRelease(long FencingToken, string? HeldBy);
