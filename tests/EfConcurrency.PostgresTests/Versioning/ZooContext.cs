using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>The same hierarchy in each of EF's three mappings.</summary>
public sealed class ZooContext(DbContextOptions<ZooContext> options) : DbContext(options)
{
    public DbSet<TphAnimal> Tph => Set<TphAnimal>();

    public DbSet<TptAnimal> Tpt => Set<TptAnimal>();

    public DbSet<TpcAnimal> Tpc => Set<TpcAnimal>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<TphAnimal>();
        modelBuilder.Entity<TphDog>();
        modelBuilder.Entity<TptAnimal>().UseTptMappingStrategy();
        modelBuilder.Entity<TptDog>();
        modelBuilder.Entity<TpcAnimal>().UseTpcMappingStrategy();
        modelBuilder.Entity<TpcDog>();
    }
}

public class TphAnimal : IAnimal
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public long Version { get; private set; }
}

public class TphDog : TphAnimal, IDog
{
    public string Bark { get; set; } = "";
}

public class TptAnimal : IAnimal
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public long Version { get; private set; }
}

public class TptDog : TptAnimal, IDog
{
    public string Bark { get; set; } = "";
}

public abstract class TpcAnimal : IAnimal
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public long Version { get; private set; }
}

public class TpcDog : TpcAnimal, IDog
{
    public string Bark { get; set; } = "";
}

public interface IAnimal : IVersioned
{
    int Id { get; }

    string Name { get; set; }
}

public interface IDog : IAnimal
{
    string Bark { get; set; }
}

public sealed class ZooDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public ZooContext Open() => new(new DbContextOptionsBuilder<ZooContext>().UseNpgsql(ConnectionString).UseEfConcurrency().Options);
}
