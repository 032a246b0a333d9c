using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>
/// Rows that were read and not changed, and whose version must still hold when the save commits: <c>db.VerifyVersion(entity)</c>.
/// </summary>
internal sealed class VersionVerifications : IEnvelopeContributor, IResettableService
{
    private readonly List<IUpdateEntry> _pending = [];

    /// <summary>What the next save verifies. A row that is itself saved is checked anyway.</summary>
    public IEnumerable<IUpdateEntry> Pending => _pending.Where(e => e.EntityState == EntityState.Unchanged);

    public bool HasPendingWork => Pending.Any();

    public void Add(IUpdateEntry entry)
    {
        if (!_pending.Contains(entry))
        {
            _pending.Add(entry);
        }
    }

    public void Contribute(EnvelopeSave save)
    {
        foreach (var entry in Pending)
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
}
