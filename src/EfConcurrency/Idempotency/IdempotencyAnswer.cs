namespace EfConcurrency.Idempotency;

/// <summary>What the server says to a claim: won, or the row that stands in the way. Neither, when that row was deleted in between.</summary>
internal readonly record struct IdempotencyAnswer(IdempotencyClaim? Claim, IdempotencyRow? Row);
