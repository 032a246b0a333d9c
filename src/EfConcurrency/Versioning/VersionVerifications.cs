using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>
/// Rows that were read and not changed, and whose version must still hold when the save commits: <c>db.VerifyVersion(entity)</c>.
/// </summary>
internal sealed class VersionVerifications : IEnvelopeContributor, IResettableService
{
    private readonly List<EntityEntry> _pending = [];

    public bool HasPendingWork => _pending.Count > 0 && Pending.Any();

    /// <summary>The entries that the save under way verifies.</summary>
    public IReadOnlyList<IUpdateEntry> Verified { get; private set; } = [];

    /// <summary>A row that is itself saved is checked anyway.</summary>
    private IEnumerable<EntityEntry> Pending => _pending.Where(e => e.State == EntityState.Unchanged);

    public void Add(EntityEntry entry) => _pending.Add(entry);

    public void Contribute(EnvelopeSave save)
    {
        if (_pending.Count == 0)
        {
            Verified = [];
            return;
        }

        Verified = [.. Pending.Select(e => Find(save, e)).Distinct()];
        foreach (var entry in Verified)
        {
            var version = VersionColumn.Find(entry.EntityType)!;
            save.AddGuard(VersionStatements.Verify(
                save.Context,
                version,
                entry.EntityType,
                VersionKeys.Values(entry),
                entry.GetOriginalValue(version.Property),
                () => new DbUpdateConcurrencyException($"'{entry.EntityType.DisplayName()}' was to be verified, and has been changed by another writer.", [entry])));
        }
    }

    public void Saved() => _pending.Clear();

    public void ResetState() => _pending.Clear();

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private static IUpdateEntry Find(EnvelopeSave save, EntityEntry entry)
    {
        var key = entry.Metadata.FindPrimaryKey()!;
        return save.Adapter.TryGetEntry(key, [.. key.Properties.Select(p => entry.Property(p.Name).CurrentValue)])!;
    }
}
