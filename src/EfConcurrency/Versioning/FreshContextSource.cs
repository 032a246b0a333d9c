using System.Transactions;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Versioning;

/// <summary>A fresh context for each attempt.</summary>
internal sealed class FreshContextSource<TContext> : IRetryContextSource<TContext>
    where TContext : DbContext
{
    private readonly IDbContextFactory<TContext> _factory;

    public FreshContextSource(IDbContextFactory<TContext> factory)
    {
        if (Transaction.Current is not null)
        {
            throw RetryUnitState.InsideTransaction();
        }

        _factory = factory;
    }

    public async ValueTask<TContext> OpenAsync(CancellationToken cancellationToken)
        => await _factory.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);

    public ValueTask CloseAsync(TContext context, bool isCommitted) => context.DisposeAsync();
}
