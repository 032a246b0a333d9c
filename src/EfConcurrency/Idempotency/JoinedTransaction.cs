using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfConcurrency.Idempotency;

/// <summary>
/// SameTransaction in the caller's transaction, which commits or rolls back all of it. Whatever ends the call with an exception, the
/// transaction is as it was before the call.
/// </summary>
internal sealed class JoinedTransaction(IdempotencyCall call, IDbContextTransaction transaction) : IIdempotencyWay
{
    private DbContext Context => call.Context;

    public async Task<IdempotencyAttempt> AttemptAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (transaction.GetDbTransaction().IsolationLevel is var level and not (IsolationLevel.ReadCommitted or IsolationLevel.ReadUncommitted or IsolationLevel.Unspecified))
        {
            throw new IdempotencyNotPossibleException(
                $"An operation can't be made idempotent in a transaction of isolation level {level}: its snapshot predates the wait for another's claim. "
                + "Use READ COMMITTED, or leave the transaction to ExecuteIdempotentlyAsync.");
        }

        try
        {
            IdempotencyAnswer answer;
            try
            {
                answer = await ClaimAsync(patience, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                await GiveUpAsync().ConfigureAwait(false);
                return IdempotencyAttempt.InProgress(call, leaseLeft: null, error);
            }

            var claim = answer.Claim;
            if (claim is null)
            {
                if (answer.Row is not { } row)
                {
                    await GiveUpAsync().ConfigureAwait(false);
                    return IdempotencyAttempt.Again;
                }

                var known = IdempotencyVerdicts.Settle(row, call);
                claim = known is null ? await IdempotencyTakeover.TryAsync(row, call, lease: null, cancellationToken).ConfigureAwait(false) : null;
                if (claim is null)
                {
                    await GiveUpAsync().ConfigureAwait(false);
                    return known ?? IdempotencyAttempt.InProgress(call, row.LeaseLeft);
                }

                await SendAsync(IdempotencySql.SavepointAfterClaim).ConfigureAwait(false);
            }

            return await WorkAsync(claim, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await GiveUpAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<IdempotencyAnswer> ClaimAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var batch = new IdempotencyBatch(call, call.Connection);
        await using (batch.ConfigureAwait(false))
        {
            batch.Add(IdempotencySql.SavepointBeforeClaim);
            batch.AddLimitWait(patience > call.Options.LockTimeout ? patience : call.Options.LockTimeout);
            batch.AddClaim(lease: null);
            batch.Add(IdempotencySql.RestoreWait);
            batch.Add(IdempotencySql.SavepointAfterClaim);
            return await batch.SendClaimAsync(before: 1, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IdempotencyAttempt> WorkAsync(IdempotencyClaim claim, CancellationToken cancellationToken)
    {
        using var unit = call.State.Begin(isInOwnTransaction: false);
        var response = await call.Body(cancellationToken).ConfigureAwait(false);
        if (Context.Database.CurrentTransaction != transaction)
        {
            throw new IdempotencyNotPossibleException(
                "The work committed or rolled back the transaction in which its key was claimed, so work and key are no longer tied together. Leave the transaction to who opened it.");
        }

        if (response.Decision == IdempotentDecision.Discard)
        {
            await GiveUpAsync().ConfigureAwait(false);
        }
        else
        {
            var rollsBackWork = response.Decision == IdempotentDecision.StoreWithoutEffects;
            await IdempotencyCommit.SendAsync(call, claim, StoredResponse.Of(response, call.Key, call.Options), rollsBackWork, commits: false).ConfigureAwait(false);
        }

        return IdempotencyAttempt.Executed(response, claim);
    }

    /// <summary>Back to where the transaction was before the call.</summary>
    private async Task GiveUpAsync()
    {
        try
        {
            await SendAsync(IdempotencySql.RollBackClaim, IdempotencySql.ReleaseClaim).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // The connection is gone, and with it the transaction and the claim. What went wrong first is what the caller gets.
        }
    }

    private async Task SendAsync(params string[] statements)
    {
        var batch = new IdempotencyBatch(call, call.Connection);
        await using (batch.ConfigureAwait(false))
        {
            Array.ForEach(statements, s => batch.Add(s));
            await batch.SendToTheEndAsync(fence: 0).ConfigureAwait(false);
        }
    }
}
