using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Versioning;

/// <summary>Where the context of each attempt comes from.</summary>
internal interface IRetryContextSource<TContext>
    where TContext : DbContext
{
    ValueTask<TContext> OpenAsync(CancellationToken cancellationToken);

    ValueTask CloseAsync(TContext context);
}
