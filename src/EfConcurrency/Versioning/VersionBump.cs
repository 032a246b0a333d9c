using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.Versioning;

/// <summary>Raises the versions of what is saved, of owners whose parts change, and of roots.</summary>
internal sealed class VersionBump : IEnvelopeContributor
{
    public void Contribute(EnvelopeSave save)
    {
        var roots = new VersionedRoots(save);

        // Entries grow while roots are found: a root can have a root.
        for (var i = 0; i < save.Entries.Count; i++)
        {
            var entry = save.Entries[i];
            roots.Find(entry);

            if (VersionColumn.Find(entry.EntityType) is { IsWritten: true } version)
            {
                Raise(entry, version);
            }
        }
    }

    private static void Raise(IUpdateEntry entry, VersionColumn version)
    {
        var property = version.Property;
        switch (entry.EntityState)
        {
            case EntityState.Added when !entry.HasExplicitValue(property):
                entry.SetStoreGeneratedValue(property, version.First());
                break;

            case EntityState.Modified:
                var read = entry.GetOriginalValue(property);

                // Not the current value: when a save is judged again, that is already the raised one.
                var current = entry.GetPreStoreGeneratedCurrentValue(property);
                if (!property.GetValueComparer().Equals(read, current))
                {
                    throw new VersionAssignedException(entry.EntityType.DisplayName(), property.Name, read, current);
                }

                entry.SetStoreGeneratedValue(property, version.Next(read));
                break;
        }
    }
}
