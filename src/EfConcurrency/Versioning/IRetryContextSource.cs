using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Versioning;

/// <summary>Where the context of each attempt comes from.</summary>
internal interface IRetryContextSource<TContext>
    where TContext : DbContext
{
    ValueTask<TContext> OpenAsync(CancellationToken cancellationToken);

    /// <param name="context">The context of the attempt.</param>
    /// <param name="isCommitted">Whether what the context tracks is in the database.</param>
    ValueTask CloseAsync(TContext context, bool isCommitted);
}
