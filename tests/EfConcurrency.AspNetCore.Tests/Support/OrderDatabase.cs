using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AspNetCore.Tests.Support;

/// <summary>A fresh database with the tables of <see cref="OrderContext"/>.</summary>
public class OrderDatabase(PostgresServer server) : DatabaseFixture(server)
{
    private int _lastId;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
    }

    public OrderContext Open(string? connectionString = null)
        => new(new DbContextOptionsBuilder<OrderContext>().UseNpgsql(connectionString ?? ConnectionString).UseEfConcurrency().Options);

    public int NewId() => Interlocked.Increment(ref _lastId);

    /// <summary>An order of version 1, in a context of its own.</summary>
    public async Task<int> AddOrderAsync()
    {
        var id = NewId();
        await AddAsync(new Order { Id = id, Name = "first" });
        return id;
    }

    public async Task<T> AddAsync<T>(T entity)
        where T : class
    {
        await using var db = Open();
        db.Add(entity);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return entity;
    }

    /// <summary>Another writer changes the order.</summary>
    public async Task RenameAsync(int id, string name)
    {
        await using var db = Open();
        (await db.Orders.SingleAsync(o => o.Id == id)).Name = name;
        await db.SaveChangesAsync();
    }

    public async Task<Order?> FindAsync(int id)
    {
        await using var db = Open();
        return await db.Orders.AsNoTracking().SingleOrDefaultAsync(o => o.Id == id, TestContext.Current.CancellationToken);
    }
}
