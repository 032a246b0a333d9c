using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Orders.Ordering;
using Orders.Paying;
using Orders.Shipping;

namespace Orders.Storm;

/// <summary>A database for each service, with customers, money and stock: less of both than is wanted.</summary>
internal sealed class OrdersDatabases(TestDatabase ordering, TestDatabase paying, TestDatabase shipping) : IAsyncDisposable
{
    public const int Customers = 40;
    public const int Items = 10;
    public const decimal Balance = 1000;

    public IDbContextFactory<OrderingContext> Ordering { get; } = Factory<OrderingContext>(ordering);

    public IDbContextFactory<PayingContext> Paying { get; } = Factory<PayingContext>(paying);

    public IDbContextFactory<ShippingContext> Shipping { get; } = Factory<ShippingContext>(shipping);

    public string ConnectionString(string service) => service switch
    {
        "ordering" => ordering.ConnectionString,
        "paying" => paying.ConnectionString,
        _ => shipping.ConnectionString,
    };

    /// <param name="server">The server.</param>
    /// <param name="stock">Pieces of each item.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    public static async Task<OrdersDatabases> CreateAsync(LocalPostgres server, int stock, CancellationToken cancellationToken)
    {
        var databases = new OrdersDatabases(
            await server.CreateDatabaseAsync(cancellationToken), await server.CreateDatabaseAsync(cancellationToken), await server.CreateDatabaseAsync(cancellationToken));
        await FillAsync(databases.Ordering, Enumerable.Range(1, Customers).Select(id => new Customer { Id = id }), cancellationToken);
        await FillAsync(databases.Paying, Enumerable.Range(1, Customers).Select(id => new Account { Id = id, Balance = Balance }), cancellationToken);
        await FillAsync(databases.Shipping, Enumerable.Range(1, Items).Select(id => new StockItem { Id = id, Count = stock }), cancellationToken);
        return databases;
    }

    public async ValueTask DisposeAsync()
    {
        await ordering.DisposeAsync();
        await paying.DisposeAsync();
        await shipping.DisposeAsync();
    }

    private static PooledDbContextFactory<TContext> Factory<TContext>(TestDatabase database)
        where TContext : DbContext
    {
        var options = new DbContextOptionsBuilder<TContext>();
        ServiceProgram.UseDatabase(options, database.ConnectionString);
        return new(options.Options);
    }

    private static async Task FillAsync<TContext>(IDbContextFactory<TContext> contexts, IEnumerable<object> rows, CancellationToken cancellationToken)
        where TContext : DbContext
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Database.EnsureCreatedAsync(cancellationToken);
        db.AddRange(rows);
        await db.SaveChangesAsync(cancellationToken);
    }
}
