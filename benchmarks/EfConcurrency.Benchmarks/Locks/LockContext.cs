using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Benchmarks.Locks;

internal sealed class LockRow
{
    public int Id { get; set; }

    public int Value { get; set; }
}

/// <summary>One table for all contenders; with the library, or EF as it comes.</summary>
internal sealed class LockContext(DbContextOptions<LockContext> options) : DbContext(options)
{
    public DbSet<LockRow> Rows => Set<LockRow>();

    public static LockContext Plain(string connectionString) => new(Options(connectionString).Options);

    public static LockContext WithLibrary(string connectionString) => new((DbContextOptions<LockContext>)Options(connectionString).UseEfConcurrency().Options);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<LockRow>(row =>
        {
            row.ToTable("lock_row");
            row.Property(r => r.Id).HasColumnName("id").ValueGeneratedNever();
            row.Property(r => r.Value).HasColumnName("value");
        });

    private static DbContextOptionsBuilder<LockContext> Options(string connectionString)
        => new DbContextOptionsBuilder<LockContext>().UseNpgsql(connectionString);
}
