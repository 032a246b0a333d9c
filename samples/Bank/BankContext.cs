using Microsoft.EntityFrameworkCore;

namespace Bank;

/// <summary>EF Core on the tables that <c>pgbench -i</c> creates. The two derived contexts differ in one thing: the version.</summary>
public abstract class BankContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<Teller> Tellers => Set<Teller>();

    public DbSet<Branch> Branches => Set<Branch>();

    public DbSet<Booking> Bookings => Set<Booking>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Account>(account =>
        {
            account.ToTable("pgbench_accounts");
            account.Property(a => a.Id).HasColumnName("aid");
            account.Property(a => a.Balance).HasColumnName("abalance");
            account.Property(a => a.Version).HasColumnName("version");
        });
        modelBuilder.Entity<Teller>(teller =>
        {
            teller.ToTable("pgbench_tellers");
            teller.Property(t => t.Id).HasColumnName("tid");
            teller.Property(t => t.Balance).HasColumnName("tbalance");
            teller.Property(t => t.Version).HasColumnName("version");
        });
        modelBuilder.Entity<Branch>(branch =>
        {
            branch.ToTable("pgbench_branches");
            branch.Property(b => b.Id).HasColumnName("bid");
            branch.Property(b => b.Balance).HasColumnName("bbalance");
            branch.Property(b => b.Version).HasColumnName("version");
        });
        modelBuilder.Entity<Booking>(booking =>
        {
            booking.ToTable("pgbench_history");
            booking.Property(b => b.Id).HasColumnName("id");
            booking.Property(b => b.AccountId).HasColumnName("aid");
            booking.Property(b => b.TellerId).HasColumnName("tid");
            booking.Property(b => b.BranchId).HasColumnName("bid");
            booking.Property(b => b.Delta).HasColumnName("delta");
        });
    }
}

/// <summary>As EF comes: the last writer wins.</summary>
public sealed class NaiveBankContext(DbContextOptions<NaiveBankContext> options) : BankContext(options);

/// <summary>With versions: a writer that comes too late is told so.</summary>
public sealed class VersionedBankContext(DbContextOptions<VersionedBankContext> options) : BankContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Account>().HasVersion(a => a.Version);
        modelBuilder.Entity<Teller>().HasVersion(t => t.Version);
        modelBuilder.Entity<Branch>().HasVersion(b => b.Version);
    }
}
