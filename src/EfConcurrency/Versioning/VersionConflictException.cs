using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>
/// Other writers changed or deleted rows since this context read them; nothing of the save was written.
/// <see cref="Conflicts"/> names every such row of the save, where EF names the first only.
/// Read again and decide anew (<c>RetryOnConflictAsync</c> does both), merge (<c>SaveChangesMergingAsync</c>), or tell the user.
/// </summary>
public sealed class VersionConflictException : DbUpdateConcurrencyException, IFinalRefusal
{
    internal VersionConflictException(IReadOnlyList<VersionConflict> conflicts, IReadOnlyList<IUpdateEntry> entries, Exception? inner)
        : base(Describe(conflicts), inner, entries)
        => Conflicts = conflicts;

    /// <summary>Every row of the save whose version is not the one that was read.</summary>
    public IReadOnlyList<VersionConflict> Conflicts { get; }

    /// <summary>A version that the caller insists on is no other at the next attempt.</summary>
    bool IFinalRefusal.IsFinal => Conflicts.Any(c => c.IsPrecondition);

    private static string Describe(IReadOnlyList<VersionConflict> conflicts)
    {
        const int shown = 5;
        var rows = string.Join("; ", conflicts.Take(shown));
        var more = conflicts.Count > shown ? $"; and {conflicts.Count - shown} more" : "";
        var hint = conflicts.Any(c => c.IsDeleted && c.Expected is not null)
            ? " A missing row was deleted by another writer, or never inserted: EF takes a new entity whose key is already set for an existing one unless it is given to Add()."
            : "";
        return $"Nothing was saved: {conflicts.Count} row(s) were changed by another writer since they were read. {rows}{more}. "
            + $"Read them again and decide anew (RetryOnConflictAsync does both), or merge (SaveChangesMergingAsync).{hint}";
    }
}
