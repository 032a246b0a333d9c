using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.Idempotency;

/// <summary>
/// Lets the response ride with the COMMIT of a transaction of ours (EF's other interceptors and its log see the commit as ever), and refuses
/// writes that would pass the key by.
/// </summary>
internal sealed class IdempotencyInterceptor(IdempotencyUnitState state) : IDbTransactionInterceptor, IDbCommandInterceptor
{
    public async ValueTask<InterceptionResult> TransactionCommittingAsync(
        DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        if (state.Completion is not { } completion || result.IsSuppressed)
        {
            return result;
        }

        await completion().ConfigureAwait(false);
        return InterceptionResult.Suppress();
    }

    /// <summary><c>ExecuteUpdate</c>, <c>ExecuteDelete</c>, <c>ExecuteSql</c>.</summary>
    public InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        state.RefuseWrite();
        return result;
    }

    public ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(NonQueryExecuting(command, eventData, result));
}
