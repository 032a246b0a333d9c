#pragma warning disable EF1001 // Entries, and what a navigation knows of the entities in it, are EF-internal.
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfConcurrency.QueryPipeline;

/// <summary>
/// Gives tracked entities the values that a query read under its locks, one object for each enumeration. What an entity owns is
/// replaced: it has no identity of its own. What is gone from an included collection leaves the context. An entity with unsaved
/// changes is refused.
/// </summary>
internal sealed class TrackedRefresh(ILockedQueryGuard guard, INavigationBase[] wholeCollections)
{
    /// <summary>Rows come more than once where a collection is joined; an entity is read once.</summary>
    private readonly HashSet<InternalEntityEntry> _read = new(ReferenceEqualityComparer.Instance);

    private readonly List<(object Entity, INavigationBase Navigation)> _included = [];

    /// <summary>Whether a tracked entity is to be read anew.</summary>
    public static bool IsDue(QueryContext queryContext, InternalEntityEntry entry) => Of(queryContext).IsDue(entry);

    /// <summary>In place of EF's own call: tracks a new entity, or copies the values to the one that is tracked.</summary>
    public static InternalEntityEntry Track(QueryContext queryContext, InternalEntityEntry? entry, IEntityType entityType, object instance, ISnapshot shadowValues)
    {
        if (entry is null)
        {
            entry = queryContext.StartTracking(entityType, instance, shadowValues);
            Of(queryContext)._read.Add(entry);
        }
        else
        {
            Refresh(entry, instance, shadowValues);
        }

        return entry;
    }

    public void Included(object entity, INavigationBase navigation)
    {
        if (navigation.IsCollection ? wholeCollections.Contains(navigation) : navigation.TargetEntityType.GetRootType().GetDeclaredQueryFilters().Count == 0)
        {
            _included.Add((entity, navigation));
        }
    }

    /// <summary>When all is read: takes out of the context what is still in an included collection, but was not in the result.</summary>
    public void ForgetMissing()
    {
        var stateManager = _read.FirstOrDefault()?.StateManager;
        foreach (var (entity, navigation) in _included)
        {
            if (navigation is INavigation { IsOnDependent: false } toDependents && stateManager?.TryGetEntry(entity) is { } principal)
            {
                foreach (var missing in Dependents(principal, toDependents.ForeignKey).Where(d => !_read.Contains(d) && IsUnchanged(d)))
                {
                    Forget(missing);
                    Remove(principal, toDependents, missing);
                }
            }
        }
    }

    private static TrackedRefresh Of(QueryContext queryContext) => ((LockedQueryContextFactory.Execution)queryContext).Refresh!;

    private bool IsDue(InternalEntityEntry entry)
    {
        if (!_read.Add(entry))
        {
            return false;
        }

        ThrowIfChanged(entry);
        return true;
    }

    private void ThrowIfChanged(InternalEntityEntry entry)
    {
        if (!IsUnchanged(entry))
        {
            throw guard.UnsavedChanges(entry.ToEntityEntry());
        }

        foreach (var (_, owned) in Owned(entry))
        {
            ThrowIfChanged(owned);
        }
    }

    private static bool IsUnchanged(InternalEntityEntry entry)
    {
        entry.ToEntityEntry().DetectChanges();
        return entry.EntityState == EntityState.Unchanged;
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
        foreach (var (navigation, owned) in Owned(owner))
        {
            Forget(owned);
            Remove(owner, navigation, owned);
        }
    }

    private static void Remove(InternalEntityEntry principal, INavigation navigation, InternalEntityEntry dependent)
    {
        dependent.SetEntityState(EntityState.Detached);
        if (navigation.IsCollection)
        {
            principal.RemoveFromCollection(navigation, dependent.Entity);
            principal.RemoveFromCollectionSnapshot(navigation, dependent.Entity);
        }
        else
        {
            principal.SetProperty(navigation, null, isMaterialization: true, setModified: false);
            principal.SetRelationshipSnapshotValue(navigation, null);
        }
    }

    private static List<(INavigation Navigation, InternalEntityEntry Entry)> Owned(InternalEntityEntry owner)
        => [.. from navigation in owner.EntityType.GetNavigations()
               where navigation is { IsOnDependent: false, ForeignKey.IsOwnership: true }
               from owned in Dependents(owner, navigation.ForeignKey)
               select (navigation, owned)];

    private static List<InternalEntityEntry> Dependents(InternalEntityEntry principal, IForeignKey foreignKey)
        => [.. principal.StateManager.GetDependents(principal, foreignKey).Cast<InternalEntityEntry>()];
}
