using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfConcurrency.Versioning;

/// <summary>Merges the stale entities of a refused save with what is now in the database.</summary>
internal sealed class VersionMerge(MergePolicies policies)
{
    /// <summary>False when one of them can't be merged: then the conflict stands.</summary>
    public async Task<bool> TryMergeAsync(VersionConflictException conflict, CancellationToken cancellationToken)
    {
        // A row that is gone, or that is not tracked (a root raised by its key), has no two sides.
        if (conflict.Entries.Count < conflict.Conflicts.Count || conflict.Conflicts.Any(c => c.IsDeleted))
        {
            return false;
        }

        foreach (var entry in conflict.Entries)
        {
            if (!await TryMergeAsync(entry, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        foreach (var entry in conflict.Entries.Where(e => e.State != EntityState.Deleted))
        {
            policies.CheckMerged(entry.Entity);
        }

        return true;
    }

    private async Task<bool> TryMergeAsync(EntityEntry entry, CancellationToken cancellationToken)
    {
        var policy = policies.PolicyOf(entry.Metadata.ClrType);
        if (policy == MergePolicy.Fail || (policy == MergePolicy.ThreeWay && entry.State == EntityState.Deleted))
        {
            return false;
        }

        var parts = Parts(entry).ToList();
        if (policy != MergePolicy.ClientWins && parts.Exists(p => p.Metadata.IsMappedToJson() || !p.Metadata.FindOwnership()!.IsUnique || p.State is EntityState.Added or EntityState.Deleted))
        {
            // Added, removed, nested in JSON: there are no two values of one property to compare.
            return false;
        }

        foreach (var part in parts.Where(p => p.State is EntityState.Modified or EntityState.Unchanged && !p.Metadata.IsMappedToJson()).Append(entry))
        {
            if (await part.GetDatabaseValuesAsync(cancellationToken).ConfigureAwait(false) is not { } theirs || !TryMerge(part, theirs, policy))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Owned entities that this context changed, and those in the owner's row.</summary>
    private static IEnumerable<EntityEntry> Parts(EntityEntry owner)
        => owner.Context.ChangeTracker.Entries()
            .Where(e => e.Metadata.FindOwnership() is { } ownership && ownership.PrincipalEntityType.IsAssignableFrom(owner.Metadata) && IsOwnedBy(e, ownership, owner))
            .Where(e => e.State != EntityState.Unchanged || (e.Metadata.FindOwnership()!.IsUnique && !e.Metadata.IsMappedToJson()));

    private static bool IsOwnedBy(EntityEntry part, IForeignKey ownership, EntityEntry owner)
        => ownership.Properties.Zip(ownership.PrincipalKey.Properties)
            .All(pair => Equals(part.Property(pair.First.Name).CurrentValue, owner.Property(pair.Second.Name).CurrentValue));

    private bool TryMerge(EntityEntry entry, PropertyValues theirs, MergePolicy policy)
    {
        var merged = theirs.Clone();
        var version = VersionColumn.Find(entry.Metadata)?.Property;
        foreach (var property in theirs.Properties)
        {
            if (policy == MergePolicy.StoreWins || property == version || property.IsKey())
            {
                continue;
            }

            var comparer = property.GetValueComparer();
            var (read, ours, store) = (entry.OriginalValues[property], entry.CurrentValues[property], theirs[property]);
            if (comparer.Equals(read, ours))
            {
                continue;
            }

            if (policy == MergePolicy.ClientWins || comparer.Equals(read, store))
            {
                merged[property] = ours;
            }
            else if (policies.ResolverOf(entry.Metadata.ClrType, property.Name) is { } resolve)
            {
                // Also when both sides wrote the same: two withdrawals of 60 are 120.
                merged[property] = resolve(read, ours, store);
            }
            else if (!comparer.Equals(ours, store))
            {
                return false;
            }
        }

        var isDeleted = entry.State == EntityState.Deleted && policy == MergePolicy.ClientWins;

        // First as if just read; what the merge keeps of ours is then a change again.
        entry.CurrentValues.SetValues(theirs);
        entry.OriginalValues.SetValues(theirs);
        entry.State = EntityState.Unchanged;
        entry.CurrentValues.SetValues(merged);
        if (isDeleted)
        {
            entry.State = EntityState.Deleted;
        }

        return true;
    }
}
