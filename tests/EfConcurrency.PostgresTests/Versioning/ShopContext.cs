using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>One entity for each way to declare a version, and one for each shape of mapping.</summary>
public class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<Counter> Counters => Set<Counter>();

    public DbSet<Document> Documents => Set<Document>();

    public DbSet<SystemRow> SystemRows => Set<SystemRow>();

    public DbSet<ShadowRow> ShadowRows => Set<ShadowRow>();

    public DbSet<Converted> Converteds => Set<Converted>();

    public DbSet<Stock> Stocks => Set<Stock>();

    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Plain> Plains => Set<Plain>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Document>().HasVersion(d => d.Revision);
        modelBuilder.Entity<SystemRow>().HasVersion(r => r.RowVersion);
        modelBuilder.Entity<ShadowRow>().HasVersion<long>("RowVersion");
        modelBuilder.Entity<Converted>().HasVersion(c => c.Version).HasConversion(v => v.Number, n => new RowNumber(n));
        modelBuilder.Entity<Stock>().HasKey(s => new { s.Warehouse, s.Sku });
        modelBuilder.Entity<Customer>().OwnsOne(c => c.Address);
        modelBuilder.Entity<Customer>().OwnsOne(c => c.Preferences, p => p.ToJson());
        modelBuilder.Entity<Customer>().OwnsMany(c => c.Phones);
    }
}

/// <summary>By interface.</summary>
public class Account : IVersioned
{
    public int Id { get; set; }

    public decimal Balance { get; set; }

    public long Version { get; private set; }
}

/// <summary>By attribute, 32 bits.</summary>
public class Counter
{
    public int Id { get; set; }

    public int Value { get; set; }

    [Version]
    public int Version { get; private set; }
}

/// <summary>By fluent call, UUID.</summary>
public class Document
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public Guid Revision { get; private set; }
}

/// <summary>PostgreSQL's xmin.</summary>
public class SystemRow
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public uint RowVersion { get; private set; }
}

/// <summary>A shadow property.</summary>
public class ShadowRow
{
    public int Id { get; set; }

    public string Text { get; set; } = "";
}

public readonly record struct RowNumber(long Number);

/// <summary>A value converter.</summary>
public class Converted
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public RowNumber Version { get; private set; }
}

/// <summary>A composite key.</summary>
public class Stock : IVersioned
{
    public string Warehouse { get; set; } = "";

    public int Sku { get; set; }

    public int Quantity { get; set; }

    public long Version { get; private set; }
}

/// <summary>Owned types: in the row, in a JSON column, in a table of their own.</summary>
public class Customer : IVersioned
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public Address Address { get; set; } = new();

    public Preferences Preferences { get; set; } = new();

    public List<Phone> Phones { get; set; } = [];

    public long Version { get; private set; }
}

public class Address
{
    public string City { get; set; } = "";
}

public class Preferences
{
    public string Language { get; set; } = "";
}

public class Phone
{
    public int Id { get; set; }

    public string Number { get; set; } = "";
}

/// <summary>No version.</summary>
public class Plain
{
    public int Id { get; set; }

    public string Text { get; set; } = "";
}
