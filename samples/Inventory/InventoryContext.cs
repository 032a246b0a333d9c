using Microsoft.EntityFrameworkCore;

namespace Inventory;

/// <summary>A stock, and the invoices for what was sold of it.</summary>
public sealed class InventoryContext(DbContextOptions<InventoryContext> options) : DbContext(options)
{
    public DbSet<StockItem> Items => Set<StockItem>();

    public DbSet<Reservation> Reservations => Set<Reservation>();

    public DbSet<Invoice> Invoices => Set<Invoice>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Reservation>().HasIndex(r => r.ItemId);
        modelBuilder.Entity<Invoice>().HasIndex(i => i.Number);
    }
}
