using System.Transactions;
using EfConcurrency.Postgres;
using EfConcurrency.QueryPipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Npgsql;

namespace EfConcurrency.RowLocks;

/// <summary>The room's say in queries that lock.</summary>
internal sealed class LockedQueryGuard : ILockedQueryGuard
{
    public void BeforeSending(DbContext context)
    {
        if (context.Database.CurrentTransaction is null && context.Database.GetEnlistedTransaction() is null && Transaction.Current is null)
        {
            throw new RowLockTransactionRequiredException(context.GetType().Name);
        }
    }

    public void Ended(LockWait wait, TimeSpan elapsed, Exception? failure) => RowLocksMeter.Ended(wait, elapsed, failure);

    public Exception UnsavedChanges(EntityEntry entry)
        => new RowLockUnsavedChangesException(entry.Metadata.DisplayName(), RowLockKey.Of(entry), entry.State);

    public async ValueTask<Exception?> ExplainAsync(DbContext context, Exception failure, LockWait wait, bool async)
    {
        // Whatever the server or the connection refused (a command timeout, too) may have cost the transaction.
        var isUndone = wait.MayFail && IsOfTheDatabase(failure) && await TryUndoAsync(context, async).ConfigureAwait(false);
        return SqlStates.FindPostgresException(failure)?.SqlState == PostgresErrorCodes.LockNotAvailable
            ? new RowLockUnavailableException(RowLockWait.Of(wait), isUndone, failure)
            : null;
    }

    private static bool IsOfTheDatabase(Exception? exception)
        => exception is NpgsqlException || (exception is not null && IsOfTheDatabase(exception.InnerException));

    /// <summary>Not to be cancelled: a query that was cancelled must not cost the transaction.</summary>
    private static async Task<bool> TryUndoAsync(DbContext context, bool async)
    {
        try
        {
            var command = ContextCommand.Create(context, LockClauseSql.Undo, []);
            await using (command.ConfigureAwait(false))
            {
                _ = async ? await command.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false) : command.ExecuteNonQuery();
            }

            return true;
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // The connection is gone, or the transaction was lost before the query. What is reported is why.
            return false;
        }
    }
}
