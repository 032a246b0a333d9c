using Microsoft.EntityFrameworkCore;

namespace NightlyReport;

/// <summary>Material requirements planning. The two derived contexts differ in one thing: the fence.</summary>
public abstract class PlanningContext(DbContextOptions options) : DbContext(options)
{
    /// <summary>Name of the lease under which the nightly run works.</summary>
    public const string Job = "nightly-mrp";

    public DbSet<Demand> Demands => Set<Demand>();

    public DbSet<PurchaseOrder> Orders => Set<PurchaseOrder>();

    public DbSet<Report> Reports => Set<Report>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasLeases();
        modelBuilder.Entity<Demand>();
        modelBuilder.Entity<PurchaseOrder>();
        modelBuilder.Entity<Report>().Property(r => r.Id).ValueGeneratedNever();
    }
}

/// <summary>A lock with a time to live, and nothing else: as with SET NX PX.</summary>
public sealed class UnfencedContext(DbContextOptions<UnfencedContext> options) : PlanningContext(options);

/// <summary>The same, and the database looks at the token of who writes.</summary>
public sealed class FencedContext(DbContextOptions<FencedContext> options) : PlanningContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<PurchaseOrder>().FencedBy(Job);
        modelBuilder.Entity<Report>().FencedBy(Job).HasFencingToken(r => r.FencingToken);
    }
}
