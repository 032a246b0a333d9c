using System.Data.Common;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>Makes the commit of a transaction of ours one that can't be a silent rollback, and learns when a caller's transaction ends.</summary>
internal sealed class AdvisoryLockInterceptor(AdvisoryLockState state) : IDbTransactionInterceptor
{
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

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => state.TransactionEnded(eventData.TransactionId);

    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        state.TransactionEnded(eventData.TransactionId);
        return Task.CompletedTask;
    }

    public void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => state.TransactionEnded(eventData.TransactionId);

    public Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        state.TransactionEnded(eventData.TransactionId);
        return Task.CompletedTask;
    }
}
