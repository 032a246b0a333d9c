using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>An application with all tables of the library, and one of its own that a lease protects.</summary>
public sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    /// <summary>What <see cref="Report"/> is fenced by.</summary>
    public const string Lease = "report:daily";

    public DbSet<Report> Reports => Set<Report>();

    public static ShopContext Open(string connectionString)
        => new(new DbContextOptionsBuilder<ShopContext>()
            .UseNpgsql(connectionString).UseEfConcurrency(o => o.UseMessages(m => m.Add<OrderPlaced>("order-placed"))).Options);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasLeases().HasJobSlots().HasIdempotencyKeys().HasInbox().HasOutbox().HasAdvisoryLockNames();
        modelBuilder.Entity<Report>().FencedBy(Lease).HasFencingToken(r => r.FencingToken);
    }
}

public sealed class Report
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public long FencingToken { get; set; }
}

public sealed record OrderPlaced(string Order);
