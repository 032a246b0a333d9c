using EfConcurrency.Idempotency;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Gives the store of idempotency keys.</summary>
public static class IdempotencyStoreExtensions
{
    /// <summary>The keys of the context's database: to find, resolve, erase and clean up.</summary>
    /// <param name="context">The context, with <c>HasIdempotencyKeys()</c> in its model.</param>
    /// <returns>The store; it does not need the context any more.</returns>
    /// <exception cref="IdempotencyTableMissingException">The model has no idempotency keys.</exception>
    /// <exception cref="InvalidOperationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static IdempotencyStore Idempotency(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(context);
    }
}
