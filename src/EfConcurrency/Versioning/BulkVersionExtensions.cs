using System.Reflection;
using EfConcurrency.QueryPipeline;
using EfConcurrency.Versioning;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Versions and <c>ExecuteUpdate</c>.</summary>
public static class BulkVersionExtensions
{
    private static readonly MethodInfo WithoutVersionBumpMethod =
        new Func<IQueryable<object>, IQueryable<object>>(WithoutVersionBump).Method.GetGenericMethodDefinition();

    /// <summary>
    /// The following <c>ExecuteUpdate</c> leaves versions as they are: for a back-fill that nobody who has read the rows needs to notice.
    /// Without it every <c>ExecuteUpdate</c> raises them.
    /// </summary>
    /// <typeparam name="T">The element of the query.</typeparam>
    /// <param name="source">The query.</param>
    /// <returns>The query, marked.</returns>
    [QueryMarker]
    public static IQueryable<T> WithoutVersionBump<T>(this IQueryable<T> source)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(source);
        return QueryMarkerAttribute.Add(source, WithoutVersionBumpMethod);
    }

    /// <summary>
    /// Updates one row, by its key, if it still has <paramref name="expectedVersion"/> and meets the query's other conditions
    /// (<c>Where(a => a.Balance >= 10)</c>). One statement; only when no row was updated a second one finds out why.
    /// </summary>
    /// <typeparam name="T">An entity with a version column.</typeparam>
    /// <param name="source">The set, or a query on it.</param>
    /// <param name="key">The primary key; an <c>object[]</c> in the order of the key's properties when it is composite.</param>
    /// <param name="expectedVersion">Of the type of the version property.</param>
    /// <param name="setters">What to write, as for <c>ExecuteUpdate</c>. The version is raised by itself.</param>
    /// <param name="cancellationToken">Cancels the statements.</param>
    /// <returns>Whether the row was updated, and if not, why.</returns>
    /// <exception cref="ArgumentException">The key or the version is not of the type that the model has.</exception>
    /// <exception cref="InvalidOperationException">The entity has no version column.</exception>
    public static async Task<ConditionalUpdateResult> ExecuteUpdateIfVersionAsync<T>(
        this IQueryable<T> source,
        object key,
        object expectedVersion,
        Action<Query.UpdateSettersBuilder<T>> setters,
        CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(expectedVersion);
        ArgumentNullException.ThrowIfNull(setters);

        var row = ConditionalRow<T>.Of(source, key, expectedVersion);
        if (await source.Where(row.HasKeyAndVersion()).ExecuteUpdateAsync(setters, cancellationToken).ConfigureAwait(false) > 0)
        {
            return ConditionalUpdateResult.Updated;
        }

        var actual = await row.Set(source).Where(row.HasKey()).Select(row.Version()).ToListAsync(cancellationToken).ConfigureAwait(false);
        return row.Explain(actual.Count == 0 ? null : actual[0]);
    }
}
