using System.Runtime.ExceptionServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>What the writes under a riding lock have in common.</summary>
internal static class RidingLockRunner
{
    public static Task<int> SaveAsync(DbContext context, AdvisoryKeySet keys, AdvisoryLockOptions? options, CancellationToken cancellationToken)
        => RunAsync(context, keys, options, async (riding, _, token) =>
        {
            var database = context.Database;
            var timeout = database.GetCommandTimeout();
            database.SetCommandTimeout(riding.Allow(timeout ?? riding.Connection.CommandTimeout));
            try
            {
                return await context.SaveChangesAsync(token).ConfigureAwait(false);
            }
            finally
            {
                database.SetCommandTimeout(timeout);
            }
        }, cancellationToken);

    /// <summary>A strategy that retries is ours to call, so that it sees what the failure means before it decides.</summary>
    public static Task<int> ExecuteAsync<T>(
        DbContext context, AdvisoryKeySet keys, IQueryable<T> query, Func<CancellationToken, Task<int>> write, AdvisoryLockOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(query);
        if (query.Provider != context.GetService<IAsyncQueryProvider>())
        {
            throw new ArgumentException("The query is not one of this context, whose connection takes the lock. Build it from a DbSet of the context.", nameof(query));
        }

        return RunAsync(
            context,
            keys,
            options,
            (riding, strategy, token) => strategy.RetriesOnFailure ? strategy.ExecuteAsync(ct => AttemptAsync(riding, write, ct), token) : AttemptAsync(riding, write, token),
            cancellationToken);
    }

    private static async Task<int> AttemptAsync(RidingLock riding, Func<CancellationToken, Task<int>> write, CancellationToken cancellationToken)
    {
        try
        {
            return await write(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (riding.IsWaiting)
        {
            var refusal = riding.Explain(failure);
            riding.GaveUp(failure);
            if (riding.IsInTransaction)
            {
                await LockSavepoint.GiveBackAsync(riding.Connection).ConfigureAwait(false);
            }

            if (refusal is not null)
            {
                throw refusal;
            }

            throw;
        }
    }

    private static async Task<int> RunAsync(
        DbContext context, AdvisoryKeySet keys, AdvisoryLockOptions? options, Func<RidingLock, IExecutionStrategy, CancellationToken, Task<int>> write, CancellationToken cancellationToken)
    {
        var request = new LockRequest(context, keys, options, isTry: false);
        if (request.Options.Scope == AdvisoryLockScope.Session)
        {
            throw new ArgumentException("A lock that rides with a write ends with its transaction: Scope must be Transaction. Use WithAdvisoryLockAsync for a session lock.", nameof(options));
        }

        AdvisoryLockNotPossibleException.ThrowIfAmbient(context);
        await request.State.Names.RecordAsync(request, cancellationToken).ConfigureAwait(false);
        var strategy = context.Database.CreateExecutionStrategy();
        using var riding = new RidingLock(request) { MayRunAgain = strategy.RetriesOnFailure };
        request.State.Ride(riding);
        try
        {
            return await write(riding, strategy, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            riding.GaveUp(exception);
            if (riding.Refusal is AdvisoryLockDeadlockException deadlock && exception.GetBaseException() == deadlock.InnerException)
            {
                ExceptionDispatchInfo.Throw(deadlock);
            }

            throw;
        }
        finally
        {
            request.State.EndRide();
        }
    }
}
