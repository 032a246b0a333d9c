namespace EfConcurrency.Idempotency;

/// <summary>What all ways do alike with a key that is in the table.</summary>
internal static class IdempotencyVerdicts
{
    /// <summary>The replay, or null when the key can or must be claimed first.</summary>
    /// <exception cref="IdempotencyKeyReusedException">Another request had this key.</exception>
    /// <exception cref="IdempotencyNeedsResolutionException">Someone has to look first.</exception>
    public static IdempotencyAttempt? Settle(IdempotencyRow row, IdempotencyCall call) => row.Judge(call.Owner) switch
    {
        IdempotencyVerdict.Reused => throw new IdempotencyKeyReusedException(call.Key),
        IdempotencyVerdict.NeedsResolution => throw new IdempotencyNeedsResolutionException(call.Key, row.RecoveryPoint),
        IdempotencyVerdict.Replay => IdempotencyAttempt.Replayed(row, call),
        _ => null,
    };
}
