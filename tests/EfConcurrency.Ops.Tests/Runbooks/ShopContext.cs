using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Ops.Tests.Runbooks;

/// <summary>An application that uses every room.</summary>
public sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    public const string Lease = "report:daily";

    public DbSet<Report> Reports => Set<Report>();

    public static void Configure(DbContextOptionsBuilder options, string connectionString)
        => options.UseNpgsql(connectionString).UseEfConcurrency(o => o.UseMessages(m => m.Add<OrderPlaced>("order.placed.v1")));

    public static ShopContext Open(string connectionString)
    {
        var options = new DbContextOptionsBuilder<ShopContext>();
        Configure(options, connectionString);
        return new(options.Options);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasLeases().HasJobSlots().HasIdempotencyKeys().HasInbox().HasOutbox(o => o.Lanes = 2);
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
