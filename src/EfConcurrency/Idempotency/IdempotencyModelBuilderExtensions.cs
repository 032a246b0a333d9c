using EfConcurrency.Idempotency;
using EfConcurrency.Migrations;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Puts the table of idempotency keys into the model.</summary>
public static class IdempotencyModelBuilderExtensions
{
    /// <summary>Octet by octet: faster than a language's order, and no two keys are equal that are not the same.</summary>
    private const string Collation = "C";

    /// <summary>Maps <see cref="IdempotencyRecord"/>, so that migrations and <c>EnsureCreated</c> make its table.</summary>
    /// <param name="modelBuilder">The model's builder.</param>
    /// <param name="configure">Changes schema and name; default: <c>efc.idempotency_key</c>.</param>
    /// <returns><paramref name="modelBuilder"/>.</returns>
    /// <exception cref="ArgumentException">The table has no name.</exception>
    public static ModelBuilder HasIdempotencyKeys(this ModelBuilder modelBuilder, Action<IdempotencyTableOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);

        var options = new IdempotencyTableOptions();
        configure?.Invoke(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Table);
        modelBuilder.Entity<IdempotencyRecord>(record =>
        {
            record.ToTable(options.Table, options.Schema, table =>
            {
                table.HasCheckConstraint($"ck_{options.Table}_scope", IdempotencySql.ScopeCheck);
                table.HasCheckConstraint($"ck_{options.Table}_key", IdempotencySql.KeyCheck);
                table.HasCheckConstraint($"ck_{options.Table}_state", IdempotencySql.StateCheck);
            });
            record.HasStorageParameter("fillfactor", 80); // the completion finds room on the page: no new index entries
            record.HasAnnotation(LibrarySchema.TableAnnotation, true);
            record.HasKey(r => new { r.Scope, r.Key }).HasName($"pk_{options.Table}");
            record.HasIndex(r => r.ExpiresAt).HasDatabaseName($"ix_{options.Table}_expires_at");
            record.Property(r => r.Scope).HasColumnName("scope").UseCollation(Collation);
            record.Property(r => r.Key).HasColumnName("key").UseCollation(Collation);
            record.Property(r => r.Fingerprint).HasColumnName("fingerprint");
            record.Property(r => r.FingerprintVersion).HasColumnName("fp_version");
            record.Property(r => r.State).HasColumnName("state");
            record.Property(r => r.Fence).HasColumnName("fence");
            record.Property(r => r.Owner).HasColumnName("owner");
            record.Property(r => r.Attempts).HasColumnName("attempts");
            record.Property(r => r.LockedUntil).HasColumnName("locked_until");
            record.Property(r => r.RecoveryPoint).HasColumnName("recovery_point");
            record.Property(r => r.RecoveryData).HasColumnName("recovery_data").HasColumnType("jsonb");
            record.Property(r => r.ResponseStatus).HasColumnName("response_status");
            record.Property(r => r.ResponseHeaders).HasColumnName("response_headers").HasColumnType("jsonb");
            record.Property(r => r.ResponseBody).HasColumnName("response_body");
            record.Property(r => r.ProtectionKeyId).HasColumnName("protection_key_id");
            record.Property(r => r.CreatedAt).HasColumnName("created_at");
            record.Property(r => r.CompletedAt).HasColumnName("completed_at");
            record.Property(r => r.ExpiresAt).HasColumnName("expires_at");
        });
        return modelBuilder;
    }
}
