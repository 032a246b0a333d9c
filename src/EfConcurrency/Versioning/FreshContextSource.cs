using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Versioning;

/// <summary>A fresh context for each attempt.</summary>
internal sealed class FreshContextSource<TContext>(IDbContextFactory<TContext> factory) : IRetryContextSource<TContext>
    where TContext : DbContext
{
    public async ValueTask<TContext> OpenAsync(CancellationToken cancellationToken)
        => await factory.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);

    public ValueTask CloseAsync(TContext context) => context.DisposeAsync();
}
