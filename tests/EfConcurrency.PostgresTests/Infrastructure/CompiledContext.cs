using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Infrastructure;

/// <summary>A context whose model is compiled (the folder CompiledModel, made by <c>dotnet ef dbcontext optimize</c>).</summary>
public class CompiledContext(DbContextOptions<CompiledContext> options) : DbContext(options)
{
    public DbSet<CompiledOrder> Orders => Set<CompiledOrder>();

    public DbSet<CompiledLine> Lines => Set<CompiledLine>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<CompiledOrder>().OwnsOne(o => o.Address);
        modelBuilder.Entity<CompiledOrder>().HasMany(o => o.Lines).WithOne().HasForeignKey(l => l.OrderId).BumpsRoot();
        modelBuilder.Entity<CompiledLine>().HasVersion<Guid>("Revision");
    }
}

public class CompiledOrder : IVersioned
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public CompiledAddress Address { get; set; } = new();

    public List<CompiledLine> Lines { get; set; } = [];

    public long Version { get; private set; }
}

public class CompiledAddress
{
    public string City { get; set; } = "";
}

public class CompiledLine
{
    public int Id { get; set; }

    public int OrderId { get; set; }

    public int Quantity { get; set; }
}
