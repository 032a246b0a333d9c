using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>What a program may say about versions, beside saving.</summary>
public static class VersioningDbContextExtensions
{
    /// <summary>
    /// Saves <paramref name="entity"/> only if the row still has <paramref name="version"/>, for example the version a client was shown.
    /// A conflict on it is final: <c>RetryOnConflictAsync</c> does not try again, because the expectation would be the same.
    /// </summary>
    /// <param name="context">The context that tracks the entity.</param>
    /// <param name="entity">A tracked entity with a version column.</param>
    /// <param name="version">The expected version, of the type of the version property.</param>
    /// <exception cref="InvalidOperationException">The entity is not tracked, or has no version column.</exception>
    /// <exception cref="ArgumentException"><paramref name="version"/> is not of the type of the version property.</exception>
    public static void Expect(this DbContext context, object entity, object version)
    {
        ArgumentNullException.ThrowIfNull(version);

        var (entry, column) = Versioned(context, entity);
        if (version.GetType() != column.Property.ClrType)
        {
            throw new ArgumentException(
                $"'{entry.Metadata.DisplayName()}.{column.Property.Name}' is a '{column.Property.ClrType.Name}', but the expected version is a '{version.GetType().Name}'. Pass a '{column.Property.ClrType.Name}'.",
                nameof(version));
        }

        var property = entry.Property(column.Property.Name);
        property.OriginalValue = version;
        property.CurrentValue = version;
        context.GetService<VersionExpectations>().Add(entity);
    }

    /// <summary>Raises the version of <paramref name="entity"/> with the next save, although nothing else of it changes.</summary>
    /// <param name="context">The context that tracks the entity.</param>
    /// <param name="entity">A tracked entity with a version column.</param>
    /// <exception cref="InvalidOperationException">The entity is not tracked, or has no version column.</exception>
    public static void ForceIncrement(this DbContext context, object entity)
    {
        var (entry, column) = Versioned(context, entity);
        var property = column.IsWritten ? column.Property : VersionColumn.AnyWritable(entry.Metadata);
        entry.Property(property.Name).IsModified = true;
    }

    /// <summary>
    /// Lets the next save succeed only if the row of <paramref name="entity"/> still has the version that was read, without raising it;
    /// writers of that row wait until the save has committed (<c>FOR SHARE</c>). For a decision that rests on a row it does not change.
    /// </summary>
    /// <param name="context">The context that tracks the entity.</param>
    /// <param name="entity">A tracked entity with a version column.</param>
    /// <exception cref="InvalidOperationException">The entity is not tracked, or has no version column.</exception>
    public static void VerifyVersion(this DbContext context, object entity)
    {
        var (entry, _) = Versioned(context, entity);
        context.GetService<VersionVerifications>().Add(entry);
    }

    /// <summary>
    /// Saves; where another writer changed a row meanwhile, merges as <paramref name="policies"/> say and saves again. A conflict that
    /// can't be merged (no policy, a deleted row, a property that both changed and that has no resolver) is thrown; the entities may then
    /// hold values that are merged in part: read them again.
    /// </summary>
    /// <param name="context">The context.</param>
    /// <param name="policies">What to do, by entity type.</param>
    /// <param name="cancellationToken">Cancels the save.</param>
    /// <returns>The number of entities written.</returns>
    /// <exception cref="VersionConflictException">A conflict can't be merged, or others were faster in every attempt.</exception>
    /// <exception cref="RetryNotPossibleException">The context is in a transaction without savepoints, so a refused save can't be repeated in it.</exception>
    public static async Task<int> SaveChangesMergingAsync(this DbContext context, MergePolicies policies, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(policies);
        if (context.Database is { CurrentTransaction: not null, AutoSavepointsEnabled: false })
        {
            throw new RetryNotPossibleException(
                "SaveChangesMergingAsync was called in a transaction without savepoints (AutoSavepointsEnabled is off, as inside a unit of RetryOnConflictAsync), "
                + "where a refused save is not undone. Call it outside of the transaction, or switch savepoints on.");
        }

        var merge = new VersionMerge(policies);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await context.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (VersionConflictException conflict) when (attempt < policies.MaxAttempts)
            {
                if (!await merge.TryMergeAsync(conflict, cancellationToken).ConfigureAwait(false))
                {
                    throw;
                }
            }
        }
    }

    private static (EntityEntry Entry, VersionColumn Column) Versioned(DbContext context, object entity)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(entity);

        var entry = context.Entry(entity);
        if (entry.State == EntityState.Detached)
        {
            throw new InvalidOperationException(
                $"'{entry.Metadata.DisplayName()}' is not tracked by this '{context.GetType().Name}', so no save would write or check it. Read it with this context, or Attach() it first.");
        }

        return (entry, VersionColumn.Find(entry.Metadata)
            ?? throw new InvalidOperationException($"'{entry.Metadata.DisplayName()}' has no version column. Declare one: [Version], IVersioned, or HasVersion(…)."));
    }
}
