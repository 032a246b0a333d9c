using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Idempotency;

/// <summary>TwoPhase: the claim is committed first, and each step by itself; what a process leaves, another takes up where it stopped.</summary>
internal sealed class TwoPhase(IdempotencyCall call) : IIdempotencyWay
{
    private DbContext Context => call.Context;

    public async Task<IdempotencyAttempt> AttemptAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (Context.Database.CurrentTransaction is not null)
        {
            throw new IdempotencyNotPossibleException(
                "TwoPhase was called inside an open transaction: its claim must be committed before the work begins. End the transaction first, or use IdempotencyMode.SameTransaction, which joins it.");
        }

        if (Context.ChangeTracker.HasChanges())
        {
            throw new IdempotencyNotPossibleException("The context has unsaved changes, which would become part of the operation. Save them first, or make the changes inside a step.");
        }

        try
        {
            var strategy = Context.Database.CreateExecutionStrategy();
            var (known, claim) = strategy.RetriesOnFailure
                ? await strategy.ExecuteAsync(ClaimAsync, cancellationToken).ConfigureAwait(false)
                : await ClaimAsync(cancellationToken).ConfigureAwait(false);
            return known ?? await WorkAsync(claim!, cancellationToken).ConfigureAwait(false);
        }
        catch (LockWaitOverException exception)
        {
            return IdempotencyAttempt.InProgress(call, leaseLeft: null, exception.InnerException);
        }
    }

    private async Task<(IdempotencyAttempt? Known, IdempotencyClaim? Claim)> ClaimAsync(CancellationToken cancellationToken)
    {
        await Context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            IdempotencyAnswer answer;
            var batch = new IdempotencyBatch(call, call.Connection);
            await using (batch.ConfigureAwait(false))
            {
                // One batch without BEGIN is one transaction: what is set in it ends with it.
                batch.Add(IdempotencySql.Durable);
                batch.AddLimitWait(call.Options.LockTimeout);
                batch.AddClaim(call.Options.Lease);
                answer = await batch.SendClaimAsync(before: 2, cancellationToken).ConfigureAwait(false);
            }

            if (answer.Claim is { } claim)
            {
                return (null, claim);
            }

            if (answer.Row is not { } row)
            {
                return (IdempotencyAttempt.Again, null);
            }

            return IdempotencyVerdicts.Settle(row, call) is { } known ? (known, null)
                : await IdempotencyTakeover.TryAsync(row, call, call.Options.Lease, cancellationToken).ConfigureAwait(false) is { } taken ? (null, taken)
                : (IdempotencyAttempt.InProgress(call, row.LeaseLeft), null);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // To the strategy this must not look like something to repeat.
            throw new LockWaitOverException(error);
        }
        finally
        {
            await Context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    private async Task<IdempotencyAttempt> WorkAsync(IdempotencyClaim claim, CancellationToken cancellationToken)
    {
        using var unit = call.State.BeginPhases(new(call, claim));
        var heartbeat = Heartbeat.Start(call, claim.Fence);
        await using (heartbeat.ConfigureAwait(false))
        {
            using var work = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, heartbeat.Lost);
            IdempotentResponse response;
            try
            {
                response = await call.Body(work.Token).ConfigureAwait(false);
                if (Context.Database.CurrentTransaction is not null)
                {
                    throw new IdempotencyNotPossibleException("The work ended with an open transaction, whose effects would not be tied to the key. Commit it, or use a step.");
                }
            }
            catch (Exception exception)
            {
                Context.ChangeTracker.Clear();
                if (heartbeat.Lost.IsCancellationRequested && exception is OperationCanceledException)
                {
                    throw new IdempotencyClaimLostException(call.Key, claim.Fence, exception);
                }

                if (exception is not (IdempotencyClaimLostException or IdempotencyNeedsResolutionException))
                {
                    await ReleaseAsync(claim).ConfigureAwait(false);
                }

                throw;
            }

            if (response.Decision == IdempotentDecision.Discard)
            {
                await ReleaseAsync(claim).ConfigureAwait(false);
            }
            else
            {
                await CompleteAsync(claim, StoredResponse.Of(response, call.Key, call.Options)).ConfigureAwait(false);
            }

            return IdempotencyAttempt.Executed(response, claim);
        }
    }

    private async Task CompleteAsync(IdempotencyClaim claim, StoredResponse response)
    {
        try
        {
            await PhasedStore.SendAsync(call, claim.Fence, b => b.AddComplete(claim.Fence, response)).ConfigureAwait(false);
        }
        catch (IdempotencyClaimLostException)
        {
            // Or it was ourselves: the reply to the first attempt was lost.
            if (await IdempotencyCommit.AskRowAsync(call).ConfigureAwait(false) != CommitStatus.Committed)
            {
                throw;
            }
        }
    }

    /// <summary>The key stays, at the recovery point it has reached; whoever comes next need not wait for the lease.</summary>
    private async Task ReleaseAsync(IdempotencyClaim claim)
    {
        try
        {
            await PhasedStore.SendAsync(call, claim.Fence, b => b.AddRelease(claim.Fence)).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // Then the lease ends by itself. What went wrong first is what the caller gets.
            IdempotencyLog.NotReleased(call.Logger, call.Key.Hash, exception);
        }
    }

    private sealed class LockWaitOverException(PostgresException error) : Exception(error.Message, error), IFinalRefusal;
}
