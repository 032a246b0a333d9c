namespace EfConcurrency.Idempotency;

/// <summary>A key that stands in the table and may be claimed nevertheless. Rare.</summary>
internal static class IdempotencyTakeover
{
    /// <summary>The claim; null when the key is another's, or another was faster.</summary>
    public static async Task<IdempotencyClaim?> TryAsync(IdempotencyRow row, IdempotencyCall call, TimeSpan? lease, CancellationToken cancellationToken)
    {
        var verdict = row.Judge(call.Owner);
        if (verdict is not (IdempotencyVerdict.Reset or IdempotencyVerdict.TakeOver or IdempotencyVerdict.AlreadyOurs))
        {
            return null;
        }

        if (verdict == IdempotencyVerdict.TakeOver && row.RecoveryPoint is not null && call.Options.Mode != IdempotencyMode.TwoPhase)
        {
            throw new IdempotencyNotPossibleException(
                $"The operation of idempotency key {call.Key} was begun in TwoPhase and has reached '{row.RecoveryPoint}': it can't begin anew in {call.Options.Mode}. Run it in TwoPhase, which resumes it.");
        }

        var batch = new IdempotencyBatch(call, call.Connection);
        await using (batch.ConfigureAwait(false))
        {
            if (lease is not null)
            {
                batch.Add(IdempotencySql.Durable);
            }

            if (verdict == IdempotencyVerdict.Reset)
            {
                batch.AddReset(lease, row.Fence);
            }
            else
            {
                batch.AddTakeOver(lease, row.Fence);
            }

            var claim = await batch.SendTakeAsync(before: lease is null ? 0 : 1, cancellationToken).ConfigureAwait(false);
            if (claim is not null && verdict == IdempotencyVerdict.TakeOver)
            {
                IdempotencyLog.TakenOver(call.Logger, call.Key.Hash, claim.Attempts, row.RecoveryPoint);
            }

            return claim;
        }
    }
}
