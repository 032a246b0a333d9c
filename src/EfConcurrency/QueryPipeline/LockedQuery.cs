#pragma warning disable EF1001 // What a query compiles to can be wrapped, but the interface behind ToQueryString is EF-internal.
using System.Collections;
using System.Data;
using System.Data.Common;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Runs EF's own query. All rows are read before the first is handed out: then all are locked, or the query has failed as a whole, and
/// the connection is free again.
/// </summary>
/// <param name="queryContext">The execution.</param>
/// <param name="query">What EF compiled.</param>
/// <param name="wait">What happens where rows are locked.</param>
/// <param name="readsOtherTables">Whether the statement also reads tables that it does not lock.</param>
/// <param name="wholeCollections">The collections that it includes without a filter.</param>
internal sealed class LockedQuery<T>(RelationalQueryContext queryContext, IEnumerable<T> query, LockWait wait, bool readsOtherTables, INavigationBase[] wholeCollections)
    : IEnumerable<T>, IAsyncEnumerable<T>, IRelationalQueryingEnumerable
{
    private readonly IRelationalQueryingEnumerable _query = (IRelationalQueryingEnumerable)query;

    private DbContext Context => queryContext.Context;

    public DbCommand CreateDbCommand() => _query.CreateDbCommand();

    public string ToQueryString() => _query.ToQueryString();

    public IEnumerator<T> GetEnumerator()
    {
        foreach (var row in ReadAsync(async: false, CancellationToken.None).AsTask().GetAwaiter().GetResult())
        {
            yield return row;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        foreach (var row in await ReadAsync(async: true, cancellationToken).ConfigureAwait(false))
        {
            yield return row;
        }
    }

    private async ValueTask<List<T>> ReadAsync(bool async, CancellationToken cancellationToken)
    {
        var execution = (LockedQueryContextFactory.Execution)queryContext;
        var guard = execution.Guard;
        guard.BeforeSending(Context);
        var refresh = execution.Refresh = new(guard, wholeCollections);
        var startedAt = Stopwatch.GetTimestamp();

        // Open from the first statement to the last, also in a TransactionScope, where EF would close it in between.
        var connection = queryContext.Connection;
        _ = async ? await connection.OpenAsync(cancellationToken).ConfigureAwait(false) : connection.Open();
        try
        {
            if (readsOtherTables && HasSnapshotPerStatement())
            {
                await LockFirstAsync(async, cancellationToken).ConfigureAwait(false);
            }

            List<T> rows = async ? await ((IAsyncEnumerable<T>)query).ToListAsync(cancellationToken).ConfigureAwait(false) : [.. query];
            refresh.ForgetMissing();
            guard.Ended(wait, Stopwatch.GetElapsedTime(startedAt), failure: null);
            return rows;
        }
        catch (Exception failure)
        {
            var explanation = await guard.ExplainAsync(Context, failure, wait, async).ConfigureAwait(false);
            guard.Ended(wait, Stopwatch.GetElapsedTime(startedAt), explanation ?? failure);
            if (explanation is not null)
            {
                throw explanation;
            }

            throw;
        }
        finally
        {
            _ = async ? await connection.CloseAsync().ConfigureAwait(false) : connection.Close();
        }
    }

    /// <summary>
    /// After a wait PostgreSQL reads the locked rows again, but those of other tables as they were before it
    /// (https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED): an order would come back with the lines of
    /// yesterday. So the locks are taken by a statement of their own, and the values read by the next one.
    /// </summary>
    private async Task LockFirstAsync(bool async, CancellationToken cancellationToken)
    {
        var command = CreateDbCommand();
        await using (command.ConfigureAwait(false))
        {
            _ = async ? await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) : command.ExecuteNonQuery();
        }
    }

    private bool HasSnapshotPerStatement()
        => (Context.Database.CurrentTransaction?.GetDbTransaction().IsolationLevel ?? IsolationLevel.ReadCommitted) is not (IsolationLevel.RepeatableRead or IsolationLevel.Serializable or IsolationLevel.Snapshot);
}
