using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Versioning;

/// <summary>The caller's context, emptied before each attempt. Refuses a context on which that would lose something.</summary>
internal sealed class ClearedContextSource<TContext> : IRetryContextSource<TContext>
    where TContext : DbContext
{
    private readonly TContext _context;

    public ClearedContextSource(TContext context)
    {
        if (context.GetService<RetryUnitState>().IsActive)
        {
            throw RetryUnitState.Nested();
        }

        if (context.Database.CurrentTransaction is not null || context.Database.GetEnlistedTransaction() is not null || Transaction.Current is not null)
        {
            throw new RetryNotPossibleException(
                "RetryOnConflictAsync was called inside an open transaction. Its earlier reads and writes can't be run again, so a retry would rest on what is no longer true. "
                + "Move the transaction's whole work into the unit: RetryOnConflictAsync opens the transaction itself.");
        }

        if (context.ChangeTracker.HasChanges())
        {
            throw new RetryNotPossibleException(
                "RetryOnConflictAsync was called on a context with unsaved changes, which a retry would throw away. "
                + "Save them first, make the changes inside the unit, or call it on an IDbContextFactory.");
        }

        _context = context;
    }

    public ValueTask<TContext> OpenAsync(CancellationToken cancellationToken)
    {
        _context.ChangeTracker.Clear();
        return ValueTask.FromResult(_context);
    }

    public ValueTask CloseAsync(TContext context) => ValueTask.CompletedTask;
}
