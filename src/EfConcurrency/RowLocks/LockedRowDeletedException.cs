using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.RowLocks;

/// <summary>The row that <c>LockAsync</c> was to lock is no longer there. <c>RetryOnConflictAsync</c> runs its unit again.</summary>
public sealed class LockedRowDeletedException : DbUpdateConcurrencyException
{
    internal LockedRowDeletedException(string entityType, IReadOnlyDictionary<string, object?> key)
        : base($"The row of '{entityType}' was deleted by another transaction before it could be locked. Read again, on a fresh context, what is still there.")
    {
        EntityType = entityType;
        Key = key;
    }

    /// <summary>Display name of the entity type.</summary>
    public string EntityType { get; }

    /// <summary>The primary key, by property.</summary>
    public IReadOnlyDictionary<string, object?> Key { get; }
}
