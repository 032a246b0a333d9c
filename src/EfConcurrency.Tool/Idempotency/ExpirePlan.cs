namespace EfConcurrency.Tool.Idempotency;

/// <summary>Keys that are about to be forgotten.</summary>
internal sealed record ExpirePlan(int Count);
