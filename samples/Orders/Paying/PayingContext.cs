using Microsoft.EntityFrameworkCore;

namespace Orders.Paying;

/// <summary>The database of the service that owns the money.</summary>
public sealed class PayingContext(DbContextOptions<PayingContext> options) : DbContext(options)
{
    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<Payment> Payments => Set<Payment>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasOutbox().HasInbox();
        modelBuilder.Entity<Account>().HasVersion(a => a.Version);
    }
}

public sealed class Account
{
    public int Id { get; set; }

    public decimal Balance { get; set; }

    /// <summary>The last order that was heard of; for the check at the end.</summary>
    public int LastNumber { get; set; }

    /// <summary>How often an order was heard of after a later one; for the check at the end.</summary>
    public int OutOfOrder { get; set; }

    public long Version { get; private set; }
}

/// <summary>Money that was taken, or (below zero) given back. Nothing keeps a second one out but the inbox.</summary>
public sealed class Payment
{
    public long Id { get; set; }

    public Guid OrderId { get; set; }

    public int AccountId { get; set; }

    public decimal Amount { get; set; }
}
