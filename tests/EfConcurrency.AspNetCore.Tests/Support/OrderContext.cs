using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AspNetCore.Tests.Support;

public class OrderContext(DbContextOptions<OrderContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Document> Documents => Set<Document>();

    public DbSet<SystemRow> SystemRows => Set<SystemRow>();

    public DbSet<ShadowRow> ShadowRows => Set<ShadowRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Order>().Property(o => o.Id).ValueGeneratedNever();
        modelBuilder.Entity<Document>().HasVersion(d => d.Revision);
        modelBuilder.Entity<SystemRow>().HasVersion(r => r.RowVersion);
        modelBuilder.Entity<ShadowRow>().HasVersion<long>("RowVersion");
        modelBuilder.HasLeases().HasIdempotencyKeys();
    }
}

public class Order : IVersioned
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public int Quantity { get; set; }

    public long Version { get; private set; }
}

public class Document
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public Guid Revision { get; private set; }
}

public class SystemRow
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public uint RowVersion { get; private set; }
}

public class ShadowRow
{
    public int Id { get; set; }

    public string Text { get; set; } = "";
}
