using Microsoft.EntityFrameworkCore;

namespace LeaseHost;

/// <summary>Registers, each written under a lease of its own, and refused by the database itself on any other path.</summary>
internal sealed class StormContext(DbContextOptions<StormContext> options) : DbContext(options)
{
    public DbSet<Register> Registers => Set<Register>();

    public static DbContextOptions<StormContext> Options(string connectionString)
        => new DbContextOptionsBuilder<StormContext>().UseNpgsql(connectionString).UseEfConcurrency().Options;

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.HasLeases().Entity<Register>(register =>
        {
            register.FencedBy(r => $"register:{r.Id}").HasFencingToken(r => r.FencingToken).HasFencingTrigger(strict: true);
            register.Property(r => r.Id).ValueGeneratedNever();
        });
}

internal sealed class Register
{
    public int Id { get; set; }

    public int Value { get; set; }

    public long FencingToken { get; set; }
}
