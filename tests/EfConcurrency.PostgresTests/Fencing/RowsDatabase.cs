using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>Fenced rows without a lease table: only the token in the row decides.</summary>
internal sealed class RowsDatabase
{
    private readonly string _connectionString;

    private RowsDatabase(string connectionString) => _connectionString = connectionString;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<RowsDatabase> CreateAsync(PlantDatabase plant)
    {
        TestDatabase own = await plant.CreateDatabaseAsync();
        var rows = new RowsDatabase(own.ConnectionString);
        await using var db = rows.Open();
        await db.Database.EnsureCreatedAsync(Token);
        return rows;
    }

    public RowsContext Open() => new(new DbContextOptionsBuilder<RowsContext>().UseNpgsql(_connectionString).UseEfConcurrency().Options);

    public async Task<int> AddAsync(long token)
    {
        await using var db = Open();
        using var scope = db.UseFencingToken(PlantContext.Resource, token);
        var plan = new Plan { Site = new() { Town = "Ulm" }, Steps = { new() { Text = "cut" } } };
        db.Add(plan);
        await db.SaveChangesAsync(Token);
        return plan.Id;
    }

    public async Task WriteAsync(int id, long token, string write)
    {
        await using var db = Open();
        using var scope = db.UseFencingToken(PlantContext.Resource, token);
        var plan = await db.Plans.SingleAsync(p => p.Id == id, Token);
        switch (write)
        {
            case "update":
                plan.Total++;
                break;
            case "delete":
                db.Remove(plan);
                break;
            case "stub":
                db.ChangeTracker.Clear();
                db.Update(new Plan { Id = id, Total = 77 });
                break;
            case "owned":
                plan.Site!.Town += "!";
                break;
            default:
                plan.Steps[0].Text += "!";
                break;
        }

        await db.SaveChangesAsync(Token);
    }

    /// <summary>The token in the row; null when the row is gone.</summary>
    public async Task<long?> TokenAsync(int id)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand($"select \"FencingToken\" from \"Plans\" where \"Id\" = {id}", connection);
        return await command.ExecuteScalarAsync(Token) as long?;
    }
}

public sealed class RowsContext(DbContextOptions<RowsContext> options) : DbContext(options)
{
    public DbSet<Plan> Plans => Set<Plan>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Plan>(plan =>
        {
            plan.FencedBy(PlantContext.Resource).HasFencingToken(p => p.FencingToken);
            plan.OwnsOne(p => p.Site);
            plan.OwnsMany(p => p.Steps).ToTable("PlanSteps");
        });
}
