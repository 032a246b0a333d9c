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
            throw RetryUnitState.InsideTransaction();
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

    /// <summary>What a failed unit leaves in the tracker is nowhere else: the next save must not write it, the next query not find it.</summary>
    public ValueTask CloseAsync(TContext context, bool isCommitted)
    {
        if (!isCommitted)
        {
            context.ChangeTracker.Clear();
        }

        return ValueTask.CompletedTask;
    }
}
