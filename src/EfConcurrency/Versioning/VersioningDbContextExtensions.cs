using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>What a program may say about versions, beside saving.</summary>
public static class VersioningDbContextExtensions
{
    /// <summary>
    /// Saves <paramref name="entity"/> only if the row still has <paramref name="version"/>, for example the version a client was shown.
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
