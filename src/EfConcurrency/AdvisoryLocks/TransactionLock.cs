using System.Runtime.ExceptionServices;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>One call in transaction scope.</summary>
internal sealed class TransactionLock<TResult>(LockRequest request, LockWork<TResult> work)
{
    private int _attempts;
    private AdvisoryLockDeadlockException? _deadlock;

    private DbContext Context => request.Context;

    public Task<AdvisoryLockOutcome<TResult>> RunAsync(CancellationToken cancellationToken)
    {
        if (Context.Database.CurrentTransaction is { } transaction)
        {
            return JoinAsync(transaction, cancellationToken);
        }

        AdvisoryLockNotPossibleException.ThrowIfAmbient(Context);
        var strategy = Context.Database.CreateExecutionStrategy();
        return strategy.RetriesOnFailure ? RunAgainAndAgainAsync(strategy, cancellationToken) : AttemptAsync(cancellationToken);
    }

    /// <summary>Lock and work are repeated together, so that no attempt works without the lock.</summary>
    private async Task<AdvisoryLockOutcome<TResult>> RunAgainAndAgainAsync(IExecutionStrategy strategy, CancellationToken cancellationToken)
    {
        if (Context.ChangeTracker.HasChanges())
        {
            throw new AdvisoryLockNotPossibleException(
                AdvisoryLockRefusal.UnsavedChanges,
                "The context has unsaved changes, and its execution strategy (EnableRetryOnFailure) may run the work under the lock again, which starts with an empty change tracker. "
                + "Read and change the entities inside the work, which also is the only place where they are sure to be current.");
        }

        try
        {
            return await strategy.ExecuteAsync(this, static (_, call, token) => call.AttemptAgainAsync(token), verifySucceeded: null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (_deadlock is not null && exception.GetBaseException() == _deadlock.InnerException)
        {
            ExceptionDispatchInfo.Throw(_deadlock);
            throw;
        }
    }

    private async Task<AdvisoryLockOutcome<TResult>> AttemptAgainAsync(CancellationToken cancellationToken)
    {
        if (_attempts++ > 0)
        {
            Context.ChangeTracker.Clear();
        }

        try
        {
            return await AttemptAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (AdvisoryLockDeadlockException exception)
        {
            // The strategy knows the server's exception as one to retry after, and ours as one not to.
            _deadlock = exception;
            ExceptionDispatchInfo.Throw(exception.InnerException!);
            throw;
        }
    }

    private async Task<AdvisoryLockOutcome<TResult>> AttemptAsync(CancellationToken cancellationToken)
    {
        var savepoints = Context.Database.AutoSavepointsEnabled;
        var transaction = await Context.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var reply = await TakeAsync(LockPlace.OwnTransaction, cancellationToken).ConfigureAwait(false);
            if (reply.IsBusy)
            {
                return AdvisoryLockOutcome<TResult>.Busy(reply.WaitEndedBy);
            }

            using var hold = new LockHold(request, reply.Id);
            request.State.BeginOwnTransaction();

            // A savepoint for each save would cost two round trips. A save that fails dooms the work instead.
            Context.Database.AutoSavepointsEnabled = false;
            try
            {
                return await WorkAndCommitAsync(transaction, reply, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Context.Database.AutoSavepointsEnabled = savepoints;
                request.State.EndOwnTransaction();
            }
        }
    }

    private async Task<AdvisoryLockOutcome<TResult>> WorkAndCommitAsync(IDbContextTransaction transaction, LockReply reply, CancellationToken cancellationToken)
    {
        var outcome = await work.RunAsync(request.Handle(reply, CancellationToken.None), cancellationToken).ConfigureAwait(false);
        if (request.State.FailedSave is { } failedSave)
        {
            ExceptionDispatchInfo.Throw(failedSave);
        }

        if (Context.Database.CurrentTransaction != transaction)
        {
            throw new AdvisoryLockNotPossibleException(
                AdvisoryLockRefusal.TransactionEnded,
                "The work committed or rolled back the transaction that held its advisory lock, so what it did afterwards was not protected. Leave the transaction to WithAdvisoryLockAsync, "
                + "or open it yourself and take the lock inside it.");
        }

        if (outcome.Ran)
        {
            request.State.IsCommitting = true;
            if (await SettledCommit.CommitAsync(Context, transaction, reply.Ticket, request.Time).ConfigureAwait(false) is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }

        return outcome;
    }

    /// <summary>The caller's transaction keeps the lock until it ends. Whatever ends the wait, the transaction is as it was.</summary>
    private async Task<AdvisoryLockOutcome<TResult>> JoinAsync(IDbContextTransaction transaction, CancellationToken cancellationToken)
    {
        var reply = await TakeAsync(LockPlace.CallersTransaction, cancellationToken).ConfigureAwait(false);
        if (reply.IsBusy)
        {
            return AdvisoryLockOutcome<TResult>.Busy(reply.WaitEndedBy);
        }

        using var hold = new LockHold(request, reply.Id, transaction.TransactionId);
        return await work.RunAsync(request.Handle(reply, CancellationToken.None), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One key is asked for first, which most of the time is all; several are taken in their order, each after the wait for the one before.</summary>
    private async Task<LockReply> TakeAsync(LockPlace place, CancellationToken cancellationToken)
    {
        using var wait = new LockWait(request);
        var isOne = request.Keys.Count == 1;
        var reply = isOne ? await SendAsync(place, wait, isTry: true, cancellationToken).ConfigureAwait(false) : null;
        if (reply is null || (reply.How == "busy" && request.WaitMilliseconds != 0))
        {
            reply = await SendAsync(place, wait, isTry: false, cancellationToken).ConfigureAwait(false);
        }

        reply = wait.Ended(reply);
        return reply.How switch
        {
            "standby" => throw AdvisoryLockNotPossibleException.Standby(),
            "snapshot" => throw AdvisoryLockNotPossibleException.SnapshotTooOld(),
            _ => reply,
        };
    }

    private async Task<LockReply> SendAsync(LockPlace place, LockWait wait, bool isTry, CancellationToken cancellationToken)
    {
        var batch = new LockBatch(request.Connection, request, place);
        await using (batch.ConfigureAwait(false))
        {
            if (place == LockPlace.CallersTransaction)
            {
                return await SendInSavepointAsync(batch, wait, isTry, cancellationToken).ConfigureAwait(false);
            }

            // BEGIN rides with the statement.
            AddTo(batch, isTry);
            return await batch.SendAsync(wait, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<LockReply> SendInSavepointAsync(LockBatch batch, LockWait wait, bool isTry, CancellationToken cancellationToken)
    {
        // Of several keys that are not waited for, some may be taken: only the answer tells whether to keep or to give them back.
        var isAnswerNeeded = request.WaitMilliseconds == 0 && !isTry;
        batch.Add(AdvisoryLocksSql.Savepoint);
        AddTo(batch, isTry);
        if (!isAnswerNeeded)
        {
            batch.Add(AdvisoryLocksSql.Release);
        }

        LockReply reply;
        try
        {
            reply = await batch.SendAsync(wait, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await LockSavepoint.GiveBackAsync(request.Connection).ConfigureAwait(false);
            throw;
        }

        if (reply.How == "timeout" || (isAnswerNeeded && !reply.IsTaken))
        {
            await LockSavepoint.GiveBackAsync(request.Connection).ConfigureAwait(false);
        }
        else if (isAnswerNeeded)
        {
            await LockSavepoint.ReleaseAsync(request.Connection).ConfigureAwait(false);
        }

        return reply;
    }

    private void AddTo(LockBatch batch, bool isTry)
    {
        if (isTry)
        {
            batch.AddTry();
        }
        else
        {
            batch.AddTake(request.WaitMilliseconds);
        }
    }
}
