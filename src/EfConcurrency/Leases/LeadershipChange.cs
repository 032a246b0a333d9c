namespace EfConcurrency.Leases;

/// <summary>A change of leadership.</summary>
/// <param name="Name">Name of the election.</param>
/// <param name="Leader">Who leads, or led, in its own words.</param>
/// <param name="FencingToken">The token of that term.</param>
/// <param name="IsThisProcess">Whether that is this process.</param>
/// <param name="Loss">Why the term ended; null while it lasts, and when the body ended by itself.</param>
public sealed record LeadershipChange(string Name, string? Leader, long FencingToken, bool IsThisProcess, LeaseLoss? Loss = null);
