using Microsoft.EntityFrameworkCore;

namespace NightlyReport;

/// <summary>The tables, with demands to plan for.</summary>
internal static class PlanningDatabase
{
    public const int Demands = 120;

    public static PlanningContext Open(string connectionString, bool isFenced)
        => isFenced
            ? new FencedContext(new DbContextOptionsBuilder<FencedContext>().UseNpgsql(connectionString).UseEfConcurrency().Options)
            : new UnfencedContext(new DbContextOptionsBuilder<UnfencedContext>().UseNpgsql(connectionString).UseEfConcurrency().Options);

    public static async Task CreateAsync(string connectionString, bool isFenced, CancellationToken cancellationToken)
    {
        await using var db = Open(connectionString, isFenced);
        await db.Database.EnsureCreatedAsync(cancellationToken);
        db.AddRange(Enumerable.Range(1, Demands).Select(i => new Demand { Part = $"part {i}", Quantity = i * 10 }));
        await db.SaveChangesAsync(cancellationToken);
    }
}
