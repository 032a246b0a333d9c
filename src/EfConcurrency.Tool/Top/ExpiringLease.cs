namespace EfConcurrency.Tool.Top;

/// <summary>A held lease and the time it has left unless it is renewed.</summary>
internal sealed record ExpiringLease(string Name, long FencingToken, string? Holder, double RemainingSeconds);
