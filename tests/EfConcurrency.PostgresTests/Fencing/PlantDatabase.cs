using EfConcurrency.Infrastructure;
using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>A fresh database with the tables of <see cref="PlantContext"/>.</summary>
public sealed class PlantDatabase(PostgresServer server) : DatabaseFixture(server)
{
    /// <summary>Never renewed and never over within a test: what happens to it, the test does.</summary>
    public static readonly LeaseOptions Still = new() { KeepAlive = false, TimeToLive = TimeSpan.FromMinutes(10) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(Token);
    }

    public PlantContext Open(Action<EfConcurrencyOptionsBuilder>? configure = null, string? connectionString = null)
        => new(Options(configure, connectionString));

    public DbContextOptions<PlantContext> Options(Action<EfConcurrencyOptionsBuilder>? configure = null, string? connectionString = null)
        => new DbContextOptionsBuilder<PlantContext>().UseNpgsql(connectionString ?? ConnectionString).UseEfConcurrency(configure).Options;

    /// <summary>Takes the lease from whoever holds it, as after a pause that was too long.</summary>
    public async Task<Lease> TakeOverAsync(string name = PlantContext.Resource, string holder = "second")
    {
        await using var db = Open();
        await db.Leases().ForceAsync(name, Token);
        var acquisition = await db.Leases().TryAcquireAsync(name, new() { KeepAlive = false, TimeToLive = Still.TimeToLive, HolderInfo = holder }, Token);
        Assert.Equal(LeaseOutcome.Acquired, acquisition.Outcome);
        return acquisition.Lease!;
    }

    /// <summary>Saves an entity under a lease of its own on the resource.</summary>
    public async Task<T> AddAsync<T>(T entity, string name = PlantContext.Resource)
        where T : class
    {
        await using var lease = await TakeOverAsync(name, "seeder");
        await using var db = Open();
        using var scope = db.UseLease(lease);
        db.Add(entity);
        await db.SaveChangesAsync(Token);
        return entity;
    }
}
