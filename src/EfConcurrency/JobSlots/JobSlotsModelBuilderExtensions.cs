using EfConcurrency.Migrations;
using EfConcurrency.JobSlots;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Puts the table of job slots into the model.</summary>
public static class JobSlotsModelBuilderExtensions
{
    /// <summary>Maps <see cref="JobSlot"/>, so that migrations and <c>EnsureCreated</c> make its table.</summary>
    /// <param name="modelBuilder">The model's builder.</param>
    /// <param name="configure">Changes schema and name; default: <c>efc.job_slot</c>.</param>
    /// <returns><paramref name="modelBuilder"/>.</returns>
    /// <exception cref="ArgumentException">The table has no name.</exception>
    public static ModelBuilder HasJobSlots(this ModelBuilder modelBuilder, Action<JobSlotTableOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);

        var options = new JobSlotTableOptions();
        configure?.Invoke(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Table);
        modelBuilder.Entity<JobSlot>(slot =>
        {
            slot.ToTable(options.Table, options.Schema);
            slot.HasAnnotation(LibrarySchema.TableAnnotation, true);
            slot.HasKey(s => new { s.Job, s.SlotAt, s.SlotNo }).HasName($"pk_{options.Table}");
            slot.Property(s => s.Job).HasColumnName("job").HasMaxLength(200);
            slot.Property(s => s.SlotAt).HasColumnName("slot_at");
            slot.Property(s => s.SlotNo).HasColumnName("slot_no").ValueGeneratedNever();
            slot.Property(s => s.Attempt).HasColumnName("attempt");
            slot.Property(s => s.ClaimedBy).HasColumnName("claimed_by");
            slot.Property(s => s.ClaimedInfo).HasColumnName("claimed_info").HasMaxLength(200);
            slot.Property(s => s.ClaimedAt).HasColumnName("claimed_at");
            slot.Property(s => s.ExpiresAt).HasColumnName("expires_at");
            slot.Property(s => s.CanReclaim).HasColumnName("can_reclaim");
            slot.Property(s => s.CompletedAt).HasColumnName("completed_at");
            slot.Property(s => s.Outcome).HasColumnName("outcome");
        });
        return modelBuilder;
    }
}
