using Microsoft.EntityFrameworkCore;

namespace Orders.Ordering;

/// <summary>The database of the service that owns the orders, and leads each through payment and shipment.</summary>
public sealed class OrderingContext(DbContextOptions<OrderingContext> options) : DbContext(options)
{
    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Order> Orders => Set<Order>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasOutbox().HasInbox();
        modelBuilder.Entity<Customer>().HasVersion(c => c.Version);
        modelBuilder.Entity<Order>(order =>
        {
            order.HasVersion(o => o.Version);
            order.Property(o => o.State).HasConversion<string>();
        });
    }
}

public sealed class Customer
{
    public int Id { get; set; }

    public int LastNumber { get; set; }

    public long Version { get; private set; }
}

public sealed class Order
{
    public Guid Id { get; set; }

    public int CustomerId { get; set; }

    public int Number { get; set; }

    public int Item { get; set; }

    public decimal Amount { get; set; }

    public OrderState State { get; set; }

    public long Version { get; private set; }
}

public enum OrderState
{
    Placed,
    Paid,
    Shipped,
    Refused,
    Refunding,
    Refunded,
}
