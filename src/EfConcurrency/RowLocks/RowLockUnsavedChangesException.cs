using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.RowLocks;

/// <summary>A query with a lock operator came upon an entity that is tracked and has unsaved changes, which reading it anew would overwrite.</summary>
public sealed class RowLockUnsavedChangesException : InvalidOperationException, IFinalRefusal
{
    internal RowLockUnsavedChangesException(string entityType, IReadOnlyDictionary<string, object?> key, EntityState state)
        : base(
            $"'{entityType}' is tracked as {state}: a query that locks it would have to overwrite the unsaved changes, or return values that are not the database's. "
            + "Lock before you change it, or save first.")
    {
        EntityType = entityType;
        Key = key;
        State = state;
    }

    /// <summary>Display name of the entity type.</summary>
    public string EntityType { get; }

    /// <summary>The primary key, by property.</summary>
    public IReadOnlyDictionary<string, object?> Key { get; }

    /// <summary>What would have been saved: added, modified or deleted.</summary>
    public EntityState State { get; }
}
