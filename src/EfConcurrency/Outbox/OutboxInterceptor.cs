using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfConcurrency.Outbox;

/// <summary>Tells the outbox how the transaction ended in which it was saved.</summary>
internal sealed class OutboxInterceptor(OutboxQueue queue) : IDbTransactionInterceptor
{
    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => queue.TransactionCommitted();

    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        queue.TransactionCommitted();
        return Task.CompletedTask;
    }

    public void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => queue.TransactionRolledBack();

    public Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        queue.TransactionRolledBack();
        return Task.CompletedTask;
    }
}
