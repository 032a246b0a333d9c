using EfConcurrency.QueryPipeline;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

public sealed class BulkVersionTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reader_notices_an_ExecuteUpdate_by_someone_else()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var stale = shop.Open();
        var mine = await stale.Accounts.SingleAsync(a => a.Id == id, Token);
        await using var db = shop.Open();

        Assert.Equal(1, await db.Accounts.Where(a => a.Id == id).ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, 10), Token));

        mine.Balance = 1;
        await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(Token));
        Assert.Equal(10, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task Every_shape_of_query_raises_the_version()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        var query = db.Accounts.Where(a => a.Id == id);

        // Sync, several setters, a cached query with another value, a subquery, a value from the row, a projection, a join.
        query.ExecuteUpdate(s => s.SetProperty(a => a.Balance, 1));
        foreach (var value in (int[])[2, 3])
        {
            await query.ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, value), Token);
        }

        await query.OrderBy(a => a.Id).Take(1).ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, a => a.Balance + 1), Token);
        await query.Join(db.Accounts, a => a.Id, b => b.Id, (a, b) => a).ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, 5), Token);

        Assert.Equal(6L, await query.Select(a => a.Version).SingleAsync(Token));
        Assert.Equal(5m, await query.Select(a => a.Balance).SingleAsync(Token));
    }

    [Fact]
    public async Task Every_kind_of_version_is_raised()
    {
        var counter = await shop.AddAsync(new Counter());
        var document = await shop.AddAsync(new Document());
        var shadow = await shop.AddAsync(new ShadowRow());
        var stock = await shop.AddAsync(new Stock { Warehouse = Guid.NewGuid().ToString(), Sku = 1 });
        var customer = await shop.AddAsync(new Customer { Address = new() { City = "x" } });
        await using var db = shop.Open();

        await db.Counters.Where(e => e.Id == counter.Id).ExecuteUpdateAsync(s => s.SetProperty(e => e.Value, 1), Token);
        await db.Documents.Where(e => e.Id == document.Id).ExecuteUpdateAsync(s => s.SetProperty(e => e.Text, "1"), Token);
        var first = await db.Documents.Where(e => e.Id == document.Id).Select(e => e.Revision).SingleAsync(Token);
        await db.Documents.Where(e => e.Id == document.Id).ExecuteUpdateAsync(s => s.SetProperty(e => e.Text, "1"), Token);
        var second = await db.Documents.Where(e => e.Id == document.Id).Select(e => e.Revision).SingleAsync(Token);
        await db.ShadowRows.Where(e => e.Id == shadow.Id).ExecuteUpdateAsync(s => s.SetProperty(e => e.Text, "1"), Token);
        await db.Stocks.Where(e => e.Warehouse == stock.Warehouse).ExecuteUpdateAsync(s => s.SetProperty(e => e.Quantity, 1), Token);
        await db.Customers.Where(e => e.Id == customer.Id).ExecuteUpdateAsync(s => s.SetProperty(e => e.Address.City, "y"), Token);

        Assert.Equal(2, await db.Counters.Where(e => e.Id == counter.Id).Select(e => e.Version).SingleAsync(Token));
        Assert.NotEqual(document.Revision, first);
        Assert.NotEqual(first, second); // the cached query got a fresh value
        Assert.Equal(2, await db.ShadowRows.Where(e => e.Id == shadow.Id).Select(e => EF.Property<long>(e, "RowVersion")).SingleAsync(Token));
        Assert.Equal(2, await db.Stocks.Where(e => e.Warehouse == stock.Warehouse).Select(e => e.Version).SingleAsync(Token));
        Assert.Equal(2, await db.Customers.Where(e => e.Id == customer.Id).Select(e => e.Version).SingleAsync(Token));
    }

    [Fact]
    public async Task A_back_fill_may_leave_versions_as_they_are()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();

        await db.Accounts.Where(a => a.Id == id).WithoutVersionBump().ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, 10), Token);
        Assert.Equal(1L, await db.Accounts.Where(a => a.Id == id).Select(a => a.Version).SingleAsync(Token));
        Assert.Single(await db.Accounts.Where(a => a.Id == id).WithoutVersionBump().ToListAsync(Token));
    }

    [Fact]
    public async Task What_carries_no_version_is_left_alone()
    {
        var plain = await shop.AddAsync(new Plain { Text = "a" });
        var system = await shop.AddAsync(new SystemRow());
        await using var db = shop.Open();

        Assert.Equal(1, await db.Plains.Where(p => p.Id == plain.Id).ExecuteUpdateAsync(s => s.SetProperty(p => p.Text, "b"), Token));
        Assert.Equal(1, await db.SystemRows.Where(p => p.Id == system.Id).ExecuteUpdateAsync(s => s.SetProperty(p => p.Text, "b"), Token));
        Assert.Equal(1, await db.Plains.Where(p => p.Id == plain.Id).ExecuteDeleteAsync(Token));
    }

    [Fact]
    public async Task Setting_the_version_is_refused()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();

        var error = await Assert.ThrowsAsync<UnsupportedBulkUpdateException>(
            () => db.Accounts.Where(a => a.Id == id).ExecuteUpdateAsync(s => s.SetProperty(a => a.Balance, 9).SetProperty(a => a.Version, 7), Token));

        Assert.Contains("leave the property out", error.Message, StringComparison.Ordinal);
        Assert.Equal(0m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task A_converted_number_is_refused_with_a_way_out()
    {
        await using var db = shop.Open();
        var error = await Assert.ThrowsAsync<UnsupportedBulkUpdateException>(() => db.Converteds.ExecuteUpdateAsync(s => s.SetProperty(c => c.Text, "x"), Token));
        Assert.Contains("WithoutVersionBump", error.Message, StringComparison.Ordinal);
        await db.Converteds.WithoutVersionBump().ExecuteUpdateAsync(s => s.SetProperty(c => c.Text, "x"), Token);
    }

    [Fact]
    public async Task A_projection_raises_the_version_of_the_entity_it_writes()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();

        await db.Accounts.Where(a => a.Id == id).Select(a => new { Account = a, Twice = a.Balance * 2 }).ExecuteUpdateAsync(s => s.SetProperty(x => x.Account.Balance, x => x.Twice + 1), Token);

        Assert.Equal(1m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id} and \"Version\" = 2"));
    }
}
