using EfConcurrency.Migrations;
using EfConcurrency.Outbox;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Puts the tables of the outbox into the model.</summary>
public static class OutboxModelBuilderExtensions
{
    /// <summary>
    /// Three partitions: one is written, one is read to its end, one is empty. Inserts alone must wake autovacuum seldom: there is nothing to clean.
    /// </summary>
    private const int Partitions = 3;

    private const string PartitionStorage = "autovacuum_vacuum_insert_scale_factor = 0.5";

    /// <summary>Maps the log, the cursors, what is pending and the live dispatchers, so that migrations and <c>EnsureCreated</c> make their tables.</summary>
    /// <param name="modelBuilder">The model's builder.</param>
    /// <param name="configure">Changes schema, name and number of lanes; default: <c>efc.outbox</c>, 16 lanes.</param>
    /// <returns><paramref name="modelBuilder"/>.</returns>
    /// <exception cref="ArgumentException">The table has no name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of lanes is not 1 to 256.</exception>
    public static ModelBuilder HasOutbox(this ModelBuilder modelBuilder, Action<OutboxTableOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);

        var options = new OutboxTableOptions();
        configure?.Invoke(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Table);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Lanes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Lanes, 256);
        MapLog(modelBuilder, options);
        MapCursors(modelBuilder, options);
        MapPending(modelBuilder, options);
        MapOwners(modelBuilder, options);
        return modelBuilder;
    }

    private static void MapLog(ModelBuilder modelBuilder, OutboxTableOptions options) => modelBuilder.Entity<OutboxRecord>(record =>
    {
        record.ToTable(options.Table, options.Schema);
        record.HasAnnotation(LibrarySchema.TableAnnotation, true);
        record.HasAnnotation(OutboxAnnotations.Lanes, options.Lanes);
        PartitionedTable.Declare(record, "slot", Partitions, PartitionStorage);
        record.HasNoKey();

        // One more index costs a quarter more WAL. Cache 1: with more, ids do not rise in the order of insertion.
        record.HasIndex(r => r.TransactionId).HasDatabaseName($"ix_{options.Table}_tx");
        record.Property(r => r.Id).HasColumnName("id").UseIdentityAlwaysColumn().HasIdentityOptions(numbersToCache: 1);
        record.Property(r => r.TransactionId).HasColumnName("tx").HasColumnType("xid8").HasDefaultValueSql("pg_current_xact_id()");
        record.Property(r => r.Slot).HasColumnName("slot").HasDefaultValueSql("((extract(epoch from now())::bigint / 86400) % 3)::smallint");
        record.Property(r => r.Lane).HasColumnName("lane");
        record.Property(r => r.MessageId).HasColumnName("message_id");
        record.Property(r => r.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("now()");
        record.Property(r => r.DueAt).HasColumnName("due_at");
        record.Property(r => r.Key).HasColumnName("key");
        record.Property(r => r.Topic).HasColumnName("topic");
        record.Property(r => r.Type).HasColumnName("type");
        record.Property(r => r.Headers).HasColumnName("headers").HasColumnType("jsonb");
        record.Property(r => r.Payload).HasColumnName("payload");
    });

    private static void MapCursors(ModelBuilder modelBuilder, OutboxTableOptions options) => modelBuilder.Entity<OutboxCursor>(cursor =>
    {
        cursor.ToTable($"{options.Table}_cursor", options.Schema);
        cursor.HasAnnotation(LibrarySchema.TableAnnotation, true);

        // Few rows, updated many times a second: room for HOT updates, and a vacuum that comes by count.
        cursor.HasStorageParameter("fillfactor", 20);
        cursor.HasStorageParameter("autovacuum_vacuum_scale_factor", 0);
        cursor.HasStorageParameter("autovacuum_vacuum_threshold", 200);
        cursor.HasKey(c => new { c.Sink, c.Lane }).HasName($"pk_{options.Table}_cursor");
        cursor.Property(c => c.Sink).HasColumnName("sink").HasMaxLength(100);
        cursor.Property(c => c.Lane).HasColumnName("lane").ValueGeneratedNever();

        // Text of a pg_snapshot, cast where it is used: Npgsql can't read that type.
        cursor.Property(c => c.Snapshot).HasColumnName("snap");
        cursor.Property(c => c.PlannedTo).HasColumnName("planned_to");
        cursor.Property(c => c.LastId).HasColumnName("last_id").HasDefaultValue(0L);
        cursor.Property(c => c.Owner).HasColumnName("owner");
        cursor.Property(c => c.LeaseUntil).HasColumnName("lease_until").HasDefaultValueSql("'-infinity'");
        cursor.Property(c => c.Epoch).HasColumnName("epoch").HasDefaultValue(0L);
    });

    private static void MapPending(ModelBuilder modelBuilder, OutboxTableOptions options) => modelBuilder.Entity<OutboxPending>(pending =>
    {
        pending.ToTable($"{options.Table}_pending", options.Schema);
        pending.HasAnnotation(LibrarySchema.TableAnnotation, true);
        pending.HasStorageParameter("fillfactor", 80);
        pending.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.01);
        pending.HasKey(p => new { p.Sink, p.Id }).HasName($"pk_{options.Table}_pending");
        pending.HasIndex(p => new { p.Sink, p.DueAt }).HasDatabaseName($"ix_{options.Table}_pending_due").HasFilter("state < 2");
        pending.HasIndex(p => new { p.Sink, p.Key, p.Id }).HasDatabaseName($"ix_{options.Table}_pending_key").HasFilter("key is not null");
        pending.Property(p => p.Sink).HasColumnName("sink").HasMaxLength(100);
        pending.Property(p => p.Id).HasColumnName("id").ValueGeneratedNever();
        pending.Property(p => p.Lane).HasColumnName("lane");
        pending.Property(p => p.MessageId).HasColumnName("message_id");
        pending.Property(p => p.Key).HasColumnName("key");
        pending.Property(p => p.Topic).HasColumnName("topic");
        pending.Property(p => p.Type).HasColumnName("type");
        pending.Property(p => p.Headers).HasColumnName("headers").HasColumnType("jsonb");
        pending.Property(p => p.Payload).HasColumnName("payload");
        pending.Property(p => p.CreatedAt).HasColumnName("created_at");
        pending.Property(p => p.DueAt).HasColumnName("due_at");
        pending.Property(p => p.Attempts).HasColumnName("attempts");
        pending.Property(p => p.LastError).HasColumnName("last_error");
        pending.Property(p => p.State).HasColumnName("state");
    });

    private static void MapOwners(ModelBuilder modelBuilder, OutboxTableOptions options) => modelBuilder.Entity<OutboxOwner>(owner =>
    {
        owner.ToTable($"{options.Table}_owner", options.Schema);
        owner.HasAnnotation(LibrarySchema.TableAnnotation, true);
        owner.HasStorageParameter("fillfactor", 50);
        owner.HasKey(o => new { o.Sink, o.Owner }).HasName($"pk_{options.Table}_owner");
        owner.Property(o => o.Sink).HasColumnName("sink").HasMaxLength(100);
        owner.Property(o => o.Owner).HasColumnName("owner").HasMaxLength(100);
        owner.Property(o => o.Name).HasColumnName("name");
        owner.Property(o => o.Capacity).HasColumnName("capacity");
        owner.Property(o => o.StartedAt).HasColumnName("started_at").HasDefaultValueSql("clock_timestamp()");
        owner.Property(o => o.LiveUntil).HasColumnName("live_until");
        owner.Property(o => o.Failure).HasColumnName("failure");
    });
}
