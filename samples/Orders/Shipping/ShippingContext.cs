using Microsoft.EntityFrameworkCore;

namespace Orders.Shipping;

/// <summary>The database of the service that owns the goods.</summary>
public sealed class ShippingContext(DbContextOptions<ShippingContext> options) : DbContext(options)
{
    public DbSet<StockItem> Stock => Set<StockItem>();

    public DbSet<Shipment> Shipments => Set<Shipment>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasOutbox().HasInbox();
        modelBuilder.Entity<StockItem>().HasVersion(s => s.Version);
    }
}

public sealed class StockItem
{
    public int Id { get; set; }

    public int Count { get; set; }

    public long Version { get; private set; }
}

/// <summary>What has left the house. Nothing keeps a second one out but the inbox.</summary>
public sealed class Shipment
{
    public long Id { get; set; }

    public Guid OrderId { get; set; }

    public int Item { get; set; }
}
