using System.Reflection;
using EfConcurrency.RowLocks;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Locks the row of an entity that has been read already.</summary>
public static class RowLockDbContextExtensions
{
    private static readonly MethodInfo LockCoreMethod =
        new Func<DbContext, ChangeTracking.EntityEntry, RowLockMode, RowLockWait, CancellationToken, Task>(LockCoreAsync<object>).Method.GetGenericMethodDefinition();

    /// <inheritdoc cref="LockAsync{TEntity}(DbContext, TEntity, RowLockMode, RowLockWait, CancellationToken)"/>
    public static Task LockAsync<TEntity>(
        this DbContext context, TEntity entity, RowLockMode mode = RowLockMode.NoKeyUpdate, CancellationToken cancellationToken = default)
        where TEntity : class
        => LockAsync(context, entity, mode, RowLockWait.Default, cancellationToken);

    /// <summary>
    /// Locks the row of <paramref name="entity"/> until the transaction ends, and gives the entity (with what it owns) the values that
    /// the row then has: what was read before may be out of date.
    /// </summary>
    /// <typeparam name="TEntity">The type of the entity.</typeparam>
    /// <param name="context">The context that tracks it.</param>
    /// <param name="entity">An entity without unsaved changes.</param>
    /// <param name="mode">What others are kept from. The default is <see cref="RowLockMode.NoKeyUpdate"/>.</param>
    /// <param name="wait">What to do when someone else has locked the row. <see cref="RowLockWait.SkipLocked"/> makes no sense here.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <exception cref="InvalidOperationException">The entity is not tracked by this context, or is owned by another.</exception>
    /// <exception cref="ArgumentException"><paramref name="wait"/> is <see cref="RowLockWait.SkipLocked"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mode"/> is none of the modes.</exception>
    /// <exception cref="RowLockUnsavedChangesException">The entity has unsaved changes, which the reload would overwrite.</exception>
    /// <exception cref="RowLockTransactionRequiredException">There is no open transaction.</exception>
    /// <exception cref="RowLockUnavailableException">Someone else has the lock, and <paramref name="wait"/> is limited.</exception>
    /// <exception cref="LockedRowDeletedException">The row is no longer there.</exception>
    public static Task LockAsync<TEntity>(
        this DbContext context, TEntity entity, RowLockMode mode, RowLockWait wait, CancellationToken cancellationToken = default)
        where TEntity : class
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(entity);
        if (wait == RowLockWait.SkipLocked)
        {
            throw new ArgumentException("LockAsync can't skip the one row that it is about. Use RowLockWait.NoWait and catch RowLockUnavailableException.", nameof(wait));
        }

        var entry = context.Entry(entity);
        var type = entry.Metadata;
        if (entry.State == EntityState.Detached || type.IsOwned())
        {
            throw new InvalidOperationException(
                entry.State == EntityState.Detached
                    ? $"'{type.DisplayName()}' is not tracked by this '{context.GetType().Name}'. Read it with this context, with a lock operator at once: db.Set<T>().Where(…).ForNoKeyUpdate()."
                    : $"'{type.DisplayName()}' is owned. Lock its owner, '{type.FindOwnership()!.PrincipalEntityType.DisplayName()}'.");
        }

        if (entry.State != EntityState.Unchanged)
        {
            throw new RowLockUnsavedChangesException(type.DisplayName(), RowLockKey.Of(entry), entry.State);
        }

        // The type of the entity, not that of the variable: a derived type may have a table of its own to lock.
        return (Task)LockCoreMethod.MakeGenericMethod(type.ClrType).Invoke(obj: null, BindingFlags.DoNotWrapExceptions, binder: null, [context, entry, mode, wait, cancellationToken], culture: null)!;
    }

    private static async Task LockCoreAsync<TEntity>(
        DbContext context, ChangeTracking.EntityEntry entry, RowLockMode mode, RowLockWait wait, CancellationToken cancellationToken)
        where TEntity : class
    {
        var type = entry.Metadata;
        var key = RowLockKey.Of(entry);
        var row = (type.HasSharedClrType ? context.Set<TEntity>(type.Name) : context.Set<TEntity>())
            .IgnoreQueryFilters().IgnoreAutoIncludes().AsTracking()
            .Where(RowLockKey.Is<TEntity>(type, key));
        var locked = mode switch
        {
            RowLockMode.NoKeyUpdate => row.ForNoKeyUpdate(wait),
            RowLockMode.Update => row.ForUpdate(wait),
            RowLockMode.Share => row.ForShare(wait),
            RowLockMode.KeyShare => row.ForKeyShare(wait),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "Use one of the values of RowLockMode."),
        };
        if ((await locked.ToListAsync(cancellationToken).ConfigureAwait(false)).Count == 0)
        {
            throw new LockedRowDeletedException(type.DisplayName(), key);
        }
    }
}
