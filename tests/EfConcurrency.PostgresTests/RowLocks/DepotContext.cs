using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>One entity for each way of mapping that a row lock meets.</summary>
public class DepotContext(DbContextOptions<DepotContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Line> Lines => Set<Line>();

    public DbSet<Tag> Tags => Set<Tag>();

    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Vehicle> Vehicles => Set<Vehicle>();

    public DbSet<Animal> Animals => Set<Animal>();

    public DbSet<Parcel> Parcels => Set<Parcel>();

    public DbSet<SplitRow> SplitRows => Set<SplitRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Order>(o =>
        {
            o.Property(x => x.Id).ValueGeneratedNever();
            o.Property<string>("Remark").HasDefaultValue("");
            o.HasOne(x => x.Customer).WithMany(x => x.Orders).IsRequired();
            o.HasOne(x => x.Approver).WithMany();
            o.ComplexProperty(x => x.Delivery);
            o.ComplexCollection(x => x.Stops, s => s.ToJson());
        });
        modelBuilder.Entity<Tag>().Property(t => t.Id).ValueGeneratedNever();
        modelBuilder.Entity<Tag>().Property(t => t.RowVersion).IsRowVersion();
        modelBuilder.Entity<Line>().HasKey(l => new { l.OrderId, l.Number });
        modelBuilder.Entity<Customer>(c =>
        {
            c.Property(x => x.Id).ValueGeneratedNever();
            c.OwnsOne(x => x.Address);
            c.OwnsOne(x => x.Settings, s => s.ToJson());
            c.OwnsOne(x => x.Login, l => l.ToTable("Logins"));
            c.OwnsMany(x => x.Phones);
        });
        modelBuilder.Entity<Vehicle>().Property(v => v.Id).ValueGeneratedNever();
        modelBuilder.Entity<Car>();
        modelBuilder.Entity<Animal>().UseTptMappingStrategy().Property(a => a.Id).ValueGeneratedNever();
        modelBuilder.Entity<Dog>().ToTable("Dogs");
        modelBuilder.Entity<Parcel>().UseTpcMappingStrategy().Property(p => p.Id).ValueGeneratedNever();
        modelBuilder.Entity<Crate>().ToTable("Crates");
        modelBuilder.Entity<SplitRow>(s =>
        {
            s.Property(x => x.Id).ValueGeneratedNever();
            s.SplitToTable("SplitDetails", t => t.Property(x => x.Detail));
        });
        modelBuilder.Entity<Keyless>().HasNoKey();
        modelBuilder.Entity<FromQuery>().ToSqlQuery("select \"Id\" from \"Orders\"");
        modelBuilder.Entity<FromView>().ToView("OrderView");
    }
}

public class Order
{
    public int Id { get; set; }

    public string State { get; set; } = "new";

    public int CustomerId { get; set; }

    public Customer Customer { get; set; } = null!;

    public int? ApproverId { get; set; }

    public Customer? Approver { get; set; }

    public Delivery Delivery { get; set; } = new();

    public List<Delivery> Stops { get; set; } = [];

    public List<Line> Lines { get; set; } = [];

    public List<Tag> Tags { get; set; } = [];
}

public class Tag
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public uint RowVersion { get; set; }

    public List<Order> Orders { get; set; } = [];
}

public class Delivery
{
    public string City { get; set; } = "";
}

public class Line
{
    public int OrderId { get; set; }

    public int Number { get; set; }

    public int Quantity { get; set; }
}

public class Customer
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public Address Address { get; set; } = new();

    public Settings? Settings { get; set; }

    public Login? Login { get; set; }

    public List<Phone> Phones { get; set; } = [];

    public List<Order> Orders { get; set; } = [];
}

public class Address
{
    public string City { get; set; } = "";
}

public class Settings
{
    public string Language { get; set; } = "";
}

public class Login
{
    public string User { get; set; } = "";
}

public class Phone
{
    public int Id { get; set; }

    public string Number { get; set; } = "";
}

/// <summary>One table for the hierarchy, and a version.</summary>
public class Vehicle : IVersioned
{
    public int Id { get; set; }

    public string Plate { get; set; } = "";

    public long Version { get; private set; }
}

public class Car : Vehicle
{
    public int Doors { get; set; }
}

/// <summary>A table for each type, joined.</summary>
public class Animal
{
    public int Id { get; set; }

    public string Name { get; set; } = "";
}

public class Dog : Animal
{
    public string Bark { get; set; } = "";
}

/// <summary>A table for each concrete type.</summary>
public class Parcel
{
    public int Id { get; set; }

    public int Weight { get; set; }
}

public class Crate : Parcel
{
    public int Height { get; set; }
}

public class SplitRow
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public string Detail { get; set; } = "";
}

public class Keyless
{
    public int Number { get; set; }
}

public class FromQuery
{
    public int Id { get; set; }
}

public class FromView
{
    public int Id { get; set; }
}
