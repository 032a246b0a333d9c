using EfConcurrency.Fencing;
using EfConcurrency.Leases;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Leases, and saves under them.</summary>
public static class LeasesDbContextExtensions
{
    /// <summary>The leases in the database of this context. The result needs the context no longer and may be kept.</summary>
    /// <param name="context">A context whose model has <c>HasLeases()</c>.</param>
    /// <returns>The lease manager.</returns>
    /// <exception cref="LeaseTableMissingException">The model has no lease table.</exception>
    /// <exception cref="InvalidOperationException">The context has no <c>UseEfConcurrency()</c>.</exception>
    public static ILeaseManager Leases(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return LeaseManager.Of(context);
    }

    /// <summary>
    /// Until the result is disposed, writes of this context are accepted by the database only while <paramref name="lease"/> is still ours:
    /// every save and every <c>ExecuteUpdate</c> or <c>ExecuteDelete</c> proves it, and whoever wants to take the lease over waits for its
    /// commit. Adds no round trip. Rows of entities that are <c>FencedBy</c> the lease also keep its token.
    /// </summary>
    /// <param name="context">The context; its database is the one that the lease is in.</param>
    /// <param name="lease">The lease.</param>
    /// <returns>Dispose it to leave the scope. A pooled context leaves it when it goes back.</returns>
    /// <exception cref="LeaseLostException">The lease is lost or released.</exception>
    /// <exception cref="LeaseTableMissingException">The model has no lease table.</exception>
    /// <exception cref="InvalidOperationException">Another lease of the same name is in scope, or the context has no <c>UseEfConcurrency()</c>.</exception>
    public static IDisposable UseLease(this DbContext context, Lease lease)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(lease);
        var scope = FencingScope.Of(context);
        if (TokenTable.FindEntityType(context.Model) is null)
        {
            throw LeaseTableMissingException.InModel(context.GetType().Name);
        }

        lease.ThrowIfNotHeld();
        return scope.Add(new(lease.Name, lease.FencingToken, lease.Id, lease.ThrowIfReleased));
    }
}
