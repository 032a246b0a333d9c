using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>A plant's planning: what is written under the lease <c>mrp</c>, or under a lease for each document.</summary>
public sealed class PlantContext(DbContextOptions<PlantContext> options) : DbContext(options)
{
    public const string Resource = "mrp";

    public DbSet<Plan> Plans => Set<Plan>();

    public DbSet<Document> Documents => Set<Document>();

    public DbSet<Booking> Bookings => Set<Booking>();

    public DbSet<Remark> Remarks => Set<Remark>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasLeases();
        modelBuilder.Entity<Plan>(plan =>
        {
            plan.FencedBy(Resource).HasFencingToken(p => p.FencingToken);
            plan.OwnsOne(p => p.Site);
            plan.OwnsMany(p => p.Steps).ToTable("PlanSteps");
        });
        modelBuilder.Entity<Document>().FencedBy(d => $"document:{d.Id}").HasFencingToken(d => d.FencingToken);
        modelBuilder.Entity<Booking>().FencedBy(Resource);
        modelBuilder.Entity<Machine>().UseTptMappingStrategy().FencedBy(Resource).HasFencingToken("FencingToken");
        modelBuilder.Entity<Robot>();
        modelBuilder.Entity<VersionedPlan>().FencedBy(Resource).HasFencingToken(p => p.FencingToken).HasVersion(p => p.Version);
    }
}

public sealed class Plan
{
    public int Id { get; set; }

    public int Total { get; set; }

    public long FencingToken { get; set; }

    public Site? Site { get; set; }

    public List<PlanStep> Steps { get; } = [];
}

public sealed class Site
{
    public string? Town { get; set; }
}

public sealed class PlanStep
{
    public int Id { get; set; }

    public string? Text { get; set; }
}

/// <summary>Fenced row by row.</summary>
public sealed class Document
{
    public int Id { get; set; }

    public string? Text { get; set; }

    public long FencingToken { get; private set; }
}

/// <summary>Guarded by the lease alone: rows are only added.</summary>
public sealed class Booking
{
    public int Id { get; set; }

    public int Amount { get; set; }
}

/// <summary>Not fenced.</summary>
public sealed class Remark
{
    public int Id { get; set; }

    public string? Text { get; set; }
}

/// <summary>A table for each type; the token is in the base table.</summary>
public class Machine
{
    public int Id { get; set; }

    public string? Name { get; set; }
}

public sealed class Robot : Machine
{
    public int Arms { get; set; }
}

public sealed class VersionedPlan
{
    public int Id { get; set; }

    public int Total { get; set; }

    public long FencingToken { get; private set; }

    public long Version { get; private set; }
}
