using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>
/// Finds the rows whose version must rise because something that belongs to them changes: the owner of an owned entity (always;
/// EF checks the owner's token then, but does not write it), and the principal of a relationship with <c>BumpsRoot()</c>.
/// </summary>
internal sealed class VersionedRoots(EnvelopeSave save)
{
    private HashSet<(IEntityType Type, string Key)>? _untracked;

    public void Find(IUpdateEntry entry)
    {
        foreach (var foreignKey in ToRoots(entry.EntityType))
        {
            var current = Values(entry, foreignKey, original: entry.EntityState == EntityState.Deleted);
            Bump(foreignKey, current);

            // Moved to another parent: the one it left has changed too.
            if (entry.EntityState == EntityState.Modified && foreignKey.Properties.Any(entry.IsModified))
            {
                Bump(foreignKey, Values(entry, foreignKey, original: true));
            }
        }

        foreach (var foreignKey in InSameRow(entry.EntityType))
        {
            foreach (var sharing in save.Adapter.GetDependents(entry, foreignKey))
            {
                BumpTracked(sharing);
            }
        }
    }

    /// <summary>The relationships over which a change rises (also to an entity that shares the row), cached on the model.</summary>
    private static IForeignKey[] ToRoots(IEntityType type)
        => type.GetOrAddRuntimeAnnotationValue(
            VersionAnnotations.ToRoots,
            static t => t!.GetForeignKeys().Where(k => k.IsOwnership || k.FindAnnotation(VersionAnnotations.BumpsRoot)?.Value is true || IsRowInternal(k)).ToArray(),
            type);

    /// <summary>Entities that share the row without being owned keep the row's version in a shadow property, which must not fall behind.</summary>
    private static IForeignKey[] InSameRow(IEntityType type)
        => type.GetOrAddRuntimeAnnotationValue(
            VersionAnnotations.InSameRow,
            static t => t!.GetReferencingForeignKeys().Where(k => !k.IsOwnership && IsRowInternal(k)).ToArray(),
            type);

    private static bool IsRowInternal(IForeignKey foreignKey)
        => foreignKey.DeclaringEntityType.GetTableMappings().Any(m => m.Table.GetRowInternalForeignKeys(foreignKey.DeclaringEntityType).Contains(foreignKey));

    private static object?[] Values(IUpdateEntry entry, IForeignKey foreignKey, bool original)
        => [.. foreignKey.Properties.Select(p => original && entry.CanHaveOriginalValue(p) ? entry.GetOriginalValue(p) : entry.GetCurrentValue(p))];

    private void Bump(IForeignKey foreignKey, object?[] keyValues)
    {
        if (Array.Exists(keyValues, v => v is null))
        {
            return;
        }

        if (save.Adapter.TryGetEntry(foreignKey.PrincipalKey, keyValues) is { } root)
        {
            BumpTracked(root);
        }
        else if (!foreignKey.IsOwnership && !IsRowInternal(foreignKey))
        {
            BumpUntracked(foreignKey, keyValues);
        }
    }

    private void BumpTracked(IUpdateEntry root)
    {
        if (root.EntityState != EntityState.Unchanged)
        {
            return;
        }

        if (VersionColumn.Find(root.EntityType) is { } version)
        {
            root.SetPropertyModified(version.IsWritten ? version.Property : VersionColumn.AnyWritable(root.EntityType));
            save.Include(root);
        }
        else
        {
            // A part without a version of its own (an owned entity that owns another, a line with remarks): its root may carry one.
            Find(root);
        }
    }

    private void BumpUntracked(IForeignKey foreignKey, object?[] keyValues)
    {
        if (VersionColumn.Find(foreignKey.PrincipalEntityType) is not { } version)
        {
            return;
        }

        _untracked ??= [];
        if (_untracked.Add((foreignKey.PrincipalEntityType, string.Join('\u001f', keyValues))))
        {
            save.AddGuard(VersionStatements.BumpRoot(save.Context, version, foreignKey.PrincipalKey.Properties, keyValues));
        }
    }
}
