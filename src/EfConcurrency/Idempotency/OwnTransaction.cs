using System.Runtime.ExceptionServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfConcurrency.Idempotency;

/// <summary>SameTransaction: the library opens the transaction, claims, lets the body work, stores the response and commits.</summary>
internal sealed class OwnTransaction(IdempotencyCall call) : IIdempotencyWay
{
    private int _attempts;

    private DbContext Context => call.Context;

    public Task<IdempotencyAttempt> AttemptAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_attempts == 0 && Context.ChangeTracker.HasChanges())
        {
            throw new IdempotencyNotPossibleException(
                "The context has unsaved changes, which would become part of the operation, or be lost when it is a replay. Save them first, or make the changes inside the work.");
        }

        var strategy = Context.Database.CreateExecutionStrategy();
        return strategy.RetriesOnFailure
            ? strategy.ExecuteAsync((Way: this, patience), static (_, s, token) => s.Way.AttemptOnceAsync(s.patience, token), verifySucceeded: null, cancellationToken)
            : AttemptOnceAsync(patience, cancellationToken);
    }

    /// <summary>Claim and work are repeated together. Nothing is left of an attempt that failed: a lost reply to its commit is settled within it.</summary>
    private async Task<IdempotencyAttempt> AttemptOnceAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_attempts++ > 0)
        {
            Context.ChangeTracker.Clear();
        }

        var transaction = await Context.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            IdempotencyAnswer answer;
            try
            {
                answer = await ClaimAsync(patience, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                return IdempotencyAttempt.InProgress(call, leaseLeft: null, error);
            }

            if (answer.Claim is { } claim)
            {
                return await WorkAsync(claim, transaction, cancellationToken).ConfigureAwait(false);
            }

            if (answer.Row is not { } row)
            {
                return IdempotencyAttempt.Again;
            }

            return IdempotencyVerdicts.Settle(row, call)
                ?? (await IdempotencyTakeover.TryAsync(row, call, lease: null, cancellationToken).ConfigureAwait(false) is { } taken
                    ? await WorkAsync(taken, transaction, cancellationToken).ConfigureAwait(false)
                    : IdempotencyAttempt.InProgress(call, row.LeaseLeft));
        }
    }

    /// <summary>BEGIN rides with it.</summary>
    private async Task<IdempotencyAnswer> ClaimAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var batch = new IdempotencyBatch(call, call.Connection);
        await using (batch.ConfigureAwait(false))
        {
            batch.AddLimitWait(patience > call.Options.LockTimeout ? patience : call.Options.LockTimeout);
            batch.AddClaim(lease: null);
            batch.Add(IdempotencySql.RestoreWait);
            if (call.ReturnsResponse)
            {
                batch.Add(IdempotencySql.SavepointAfterClaim);
            }

            return await batch.SendClaimAsync(before: 1, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IdempotencyAttempt> WorkAsync(IdempotencyClaim claim, IDbContextTransaction transaction, CancellationToken cancellationToken)
    {
        using var unit = call.State.Begin(isInOwnTransaction: true);
        var savepoints = Context.Database.AutoSavepointsEnabled;

        // A savepoint for each save would cost two round trips. A save that fails dooms the work instead.
        Context.Database.AutoSavepointsEnabled = false;
        try
        {
            var response = await call.Body(cancellationToken).ConfigureAwait(false);
            if (Context.Database.CurrentTransaction != transaction)
            {
                throw new IdempotencyNotPossibleException(
                    "The work committed or rolled back the transaction in which ExecuteIdempotentlyAsync runs it, so work and key are no longer tied together. "
                    + "Leave the transaction to ExecuteIdempotentlyAsync, or open it yourself and make the call inside it.");
            }

            if (response.Decision == IdempotentDecision.Store && call.State.FailedSave is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            if (response.Decision != IdempotentDecision.Discard)
            {
                var rollsBackWork = response.Decision == IdempotentDecision.StoreWithoutEffects;
                await IdempotencyCommit.CommitAsync(call, claim, StoredResponse.Of(response, call.Key, call.Options), transaction, rollsBackWork).ConfigureAwait(false);
            }

            if (response.Decision != IdempotentDecision.Store)
            {
                Context.ChangeTracker.Clear();
            }

            return IdempotencyAttempt.Executed(response, claim);
        }
        catch
        {
            Context.ChangeTracker.Clear(); // it holds what was rolled back
            throw;
        }
        finally
        {
            Context.Database.AutoSavepointsEnabled = savepoints;
        }
    }
}
