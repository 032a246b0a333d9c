using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.Idempotency;

/// <summary>Lets the response ride with the COMMIT of a transaction of ours. EF's other interceptors and its log see the commit as ever.</summary>
internal sealed class IdempotencyInterceptor(IdempotencyUnitState state) : IDbTransactionInterceptor
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
}
