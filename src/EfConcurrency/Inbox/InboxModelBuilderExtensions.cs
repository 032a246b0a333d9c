using EfConcurrency.Inbox;
using EfConcurrency.Migrations;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Puts the table of the inbox into the model.</summary>
public static class InboxModelBuilderExtensions
{
    /// <summary>Maps <see cref="InboxRecord"/>, so that migrations and <c>EnsureCreated</c> make its table.</summary>
    /// <param name="modelBuilder">The model's builder.</param>
    /// <param name="configure">Changes schema, name and window; default: <c>efc.inbox</c>, 7 days.</param>
    /// <returns><paramref name="modelBuilder"/>.</returns>
    /// <exception cref="ArgumentException">The table has no name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The window is not 1 to 30 days.</exception>
    public static ModelBuilder HasInbox(this ModelBuilder modelBuilder, Action<InboxTableOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);

        var options = new InboxTableOptions();
        configure?.Invoke(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Table);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.WindowDays, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.WindowDays, 30);
        modelBuilder.Entity<InboxRecord>(record =>
        {
            record.ToTable(options.Table, options.Schema);
            record.HasAnnotation(LibrarySchema.TableAnnotation, true);
            record.HasAnnotation(InboxAnnotations.WindowDays, options.WindowDays);
            PartitionedTable.Declare(record, "slot", InboxKey.DaySlots(options.WindowDays) + 1);
            record.HasKey(r => new { r.Slot, r.Consumer, r.MessageId, r.ForeignId }).HasName($"pk_{options.Table}");
            record.Property(r => r.Slot).HasColumnName("slot").ValueGeneratedNever();
            record.Property(r => r.Consumer).HasColumnName("consumer").HasMaxLength(InboxKey.MaxConsumerLength).UseCollation("C");
            record.Property(r => r.MessageId).HasColumnName("message_id").ValueGeneratedNever();
            record.Property(r => r.ForeignId).HasColumnName("foreign_id").HasMaxLength(InboxKey.MaxForeignIdLength).UseCollation("C").ValueGeneratedNever();
            record.Property(r => r.AcceptedAt).HasColumnName("accepted_at").HasDefaultValueSql("clock_timestamp()");
        });
        return modelBuilder;
    }
}
