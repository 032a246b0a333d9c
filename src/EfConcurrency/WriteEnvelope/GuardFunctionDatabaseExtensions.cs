using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>The guard function for databases that are not made by EF's migrations.</summary>
public static class GuardFunctionDatabaseExtensions
{
    /// <summary>
    /// Creates the function with which the server judges saves of several statements, or replaces it. Migrations and
    /// <c>EnsureCreated</c> do this by themselves; call it where the tables come from elsewhere. Needs the right to create in the schema.
    /// </summary>
    /// <param name="database">The database of a context with <c>UseEfConcurrency()</c>.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>A task that ends when the function is there.</returns>
    public static Task EnsureGuardFunctionAsync(this DatabaseFacade database, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        var options = ((IInfrastructure<IServiceProvider>)database).Instance.GetService(typeof(EnvelopeOptions)) as EnvelopeOptions
            ?? throw new InvalidOperationException("The context has no UseEfConcurrency(). Call it on the context's options, beside UseNpgsql().");
        return database.ExecuteSqlRawAsync(WriteEnvelopeSql.CreateGuardFunction(options.GuardSchema), cancellationToken);
    }
}
