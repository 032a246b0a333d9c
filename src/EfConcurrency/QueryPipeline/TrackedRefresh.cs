#pragma warning disable EF1001 // Entries, and the state manager that materialized values can be read through, are EF-internal.
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Gives tracked entities the values that a query read under its locks. What an entity owns is replaced:
/// it has no identity of its own, and may have come or gone. An entity with unsaved changes is refused.
/// </summary>
internal sealed class TrackedRefresh
{
    private static readonly ConditionalWeakTable<QueryContext, TrackedRefresh> Executions = [];

    private readonly ILockedQueryGuard _guard;

    /// <summary>Rows come more than once where a collection is joined; an entity is read once.</summary>
    private readonly HashSet<InternalEntityEntry> _read = new(ReferenceEqualityComparer.Instance);

    private TrackedRefresh(ILockedQueryGuard guard) => _guard = guard;

    /// <summary>A compiled query may be enumerated more than once with one query context, hence a new state for each time.</summary>
    public static void Begin(QueryContext queryContext, ILockedQueryGuard guard) => Executions.AddOrUpdate(queryContext, new(guard));

    /// <summary>Whether a tracked entity is to be read anew.</summary>
    public static bool IsDue(QueryContext queryContext, InternalEntityEntry entry)
        => Executions.TryGetValue(queryContext, out var execution) && execution.IsDue(entry);

    /// <summary>In place of EF's own call: tracks a new entity, or copies the values to the one that is tracked.</summary>
    public static InternalEntityEntry Track(QueryContext queryContext, InternalEntityEntry? entry, IEntityType entityType, object instance, ISnapshot shadowValues)
    {
        if (entry is not null)
        {
            Refresh(entry, instance, shadowValues);
            return entry;
        }

        var tracked = queryContext.StartTracking(entityType, instance, shadowValues);
        if (Executions.TryGetValue(queryContext, out var execution))
        {
            execution._read.Add(tracked);
        }

        return tracked;
    }

    private bool IsDue(InternalEntityEntry entry)
    {
        if (!_read.Add(entry))
        {
            return false;
        }

        entry.ToEntityEntry().DetectChanges();
        ThrowIfChanged(entry);
        return true;
    }

    private void ThrowIfChanged(InternalEntityEntry entry)
    {
        if (entry.EntityState != EntityState.Unchanged)
        {
            throw _guard.UnsavedChanges(entry.ToEntityEntry());
        }

        foreach (var owned in Owned(entry).SelectMany(o => o.Entries))
        {
            owned.ToEntityEntry().DetectChanges();
            ThrowIfChanged(owned);
        }
    }

    /// <summary>The values are read through an entry that is never tracked, as shadow properties are not in the instance.</summary>
    private static void Refresh(InternalEntityEntry entry, object instance, ISnapshot shadowValues)
    {
        Forget(entry);
        var read = shadowValues.IsEmpty
            ? new InternalEntityEntry(entry.StateManager, entry.EntityType, instance)
            : new InternalEntityEntry(entry.StateManager, entry.EntityType, instance, shadowValues);
        entry.ToEntityEntry().CurrentValues.SetValues(read.ToEntityEntry().CurrentValues);

        // As after a save. Reload() sets the state instead, and loses complex collections by that.
        entry.AcceptChanges();
    }

    /// <summary>Takes what is owned out of the context and out of its owner; the query reads it anew.</summary>
    private static void Forget(InternalEntityEntry owner)
    {
        foreach (var (navigation, entries) in Owned(owner))
        {
            foreach (var owned in entries)
            {
                Forget(owned);
                owned.SetEntityState(EntityState.Detached);
                if (navigation.IsCollection)
                {
                    owner.RemoveFromCollection(navigation, owned.Entity);
                    owner.RemoveFromCollectionSnapshot(navigation, owned.Entity);
                }
                else
                {
                    owner.SetProperty(navigation, null, isMaterialization: true, setModified: false);
                    owner.SetRelationshipSnapshotValue(navigation, null);
                }
            }
        }
    }

    private static IEnumerable<(INavigation Navigation, List<InternalEntityEntry> Entries)> Owned(InternalEntityEntry owner)
        => from navigation in owner.EntityType.GetNavigations()
           where navigation is { IsOnDependent: false, ForeignKey.IsOwnership: true }
           select (navigation, owner.StateManager.GetDependents(owner, navigation.ForeignKey).Cast<InternalEntityEntry>().ToList());
}
