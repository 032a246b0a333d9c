using EfConcurrency.Infrastructure;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>A fresh database with the tables of <see cref="ShopContext"/>.</summary>
public sealed class ShopDatabase(PostgresServer server) : DatabaseFixture(server)
{
    public PooledDbContextFactory<ShopContext> Factory => ShopFactory.Create(ConnectionString);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public ShopContext Open(Action<EfConcurrencyOptionsBuilder>? configure = null, string? connectionString = null)
        => new(new DbContextOptionsBuilder<ShopContext>().UseNpgsql(connectionString ?? ConnectionString).UseEfConcurrency(configure).Options);

    /// <summary>Saves an entity in a context of its own.</summary>
    public async Task<T> AddAsync<T>(T entity)
        where T : class
    {
        await using var db = Open();
        db.Add(entity);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return entity;
    }

    /// <summary>Another writer changes the row in a context of its own.</summary>
    public async Task ChangeAsync<T>(object[] key, Action<T> change)
        where T : class
    {
        await using var db = Open();
        change((await db.FindAsync<T>(key, TestContext.Current.CancellationToken))!);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    public Task ChangeAsync<T>(int id, Action<T> change)
        where T : class
        => ChangeAsync([id], change);
}
