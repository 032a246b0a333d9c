using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using EfConcurrency.Migrations;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Adds the lease table to a model.</summary>
public static class LeasesModelBuilderExtensions
{
    /// <summary>Adds the lease table (<c>efc.lease</c>), for <c>db.Leases()</c>, leader election and fencing. Needs a migration.</summary>
    /// <param name="modelBuilder">The builder of the model.</param>
    /// <param name="configure">Changes schema and name of the table.</param>
    /// <returns><paramref name="modelBuilder"/>.</returns>
    /// <exception cref="ArgumentException">Schema or name is empty.</exception>
    public static ModelBuilder HasLeases(this ModelBuilder modelBuilder, Action<LeaseTableOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        var options = new LeaseTableOptions();
        configure?.Invoke(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Schema);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Table);

        modelBuilder.Entity<LeaseRecord>(lease =>
        {
            lease.ToTable(options.Table, options.Schema, table =>
            {
                table.HasCheckConstraint($"ck_{options.Table}_name", $"length({TokenTable.Name}) between 1 and {TokenTable.MaxNameLength}");
                table.HasCheckConstraint($"ck_{options.Table}_fencing_token", $"{TokenTable.Token} > 0");
            });
            lease.HasAnnotation(FencingAnnotations.TokenTable, true);
            lease.HasAnnotation(LibrarySchema.TableAnnotation, true);
            lease.HasKey(l => l.Name).HasName($"pk_{options.Table}");
            lease.Property(l => l.Name).HasColumnName(TokenTable.Name).HasColumnType("text");
            lease.Property(l => l.FencingToken).HasColumnName(TokenTable.Token);
            lease.Property(l => l.Holder).HasColumnName(TokenTable.Holder);
            lease.Property(l => l.HolderInfo).HasColumnName(TokenTable.HolderInfo);
            lease.Property(l => l.AcquiredAt).HasColumnName(TokenTable.AcquiredAt);
            lease.Property(l => l.RenewedAt).HasColumnName(TokenTable.RenewedAt);

            // Never indexed: a renewal then stays on its page (HOT), where fillfactor leaves room for it.
            lease.Property(l => l.ExpiresAt).HasColumnName(TokenTable.ExpiresAt);
            lease.HasStorageParameter("fillfactor", 50);

            // Makes a change of the token a key update: it waits for FOR KEY SHARE, which a fenced save holds, and a renewal does not.
            lease.HasIndex(l => new { l.Name, l.FencingToken }).IsUnique().HasDatabaseName($"ux_{options.Table}_name_fencing_token");
        });
        return modelBuilder;
    }
}
