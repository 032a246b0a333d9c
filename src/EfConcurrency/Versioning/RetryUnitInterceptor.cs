using System.Data.Common;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.Versioning;

/// <summary>
/// Tells the attempt under way what EF sends outside of <c>SaveChanges</c> and which statement failed first, and makes its commit one
/// that can't be a silent rollback.
/// </summary>
internal sealed class RetryUnitInterceptor(RetryUnitState state) : IDbCommandInterceptor, IDbTransactionInterceptor
{
    public InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result)
    {
        if (eventData.CommandSource == CommandSource.SaveChanges)
        {
            state.SaveIsSent();
        }

        return result;
    }

    public ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(ReaderExecuting(command, eventData, result));

    public InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        state.WriteIsSent();
        return result;
    }

    public ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(NonQueryExecuting(command, eventData, result));

    public void CommandFailed(DbCommand command, CommandErrorEventData eventData) => state.StatementFailed(eventData.Exception);

    public Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        state.StatementFailed(eventData.Exception);
        return Task.CompletedTask;
    }

    /// <summary>
    /// In place of the provider's COMMIT, which takes the server's answer ROLLBACK for success. EF's other interceptors and its log
    /// see the commit as ever.
    /// </summary>
    public async ValueTask<InterceptionResult> TransactionCommittingAsync(
        DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        if (!state.IsCommitting || result.IsSuppressed)
        {
            return result;
        }

        await CheckedCommit.SendAsync(transaction, eventData.Context!.Database.GetCommandTimeout(), cancellationToken).ConfigureAwait(false);
        return InterceptionResult.Suppress();
    }
}
