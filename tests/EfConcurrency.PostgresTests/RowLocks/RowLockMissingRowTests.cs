using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>What others have deleted meanwhile is not in the result of a query that locks, nor in the graph that it returns.</summary>
public sealed class RowLockMissingRowTests(DepotDatabase depot) : IClassFixture<DepotDatabase>, IAsyncLifetime
{
    private DepotContext _db = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _db = depot.Open();
        await _db.Database.BeginTransactionAsync(Token);
    }

    public ValueTask DisposeAsync() => _db.DisposeAsync();

    [Fact]
    public async Task What_an_entity_owned_and_no_longer_does_is_gone()
    {
        var customer = await _db.Customers.SingleAsync(c => c.Id == 2, Token);
        await depot.ExecuteAsync("update \"Customers\" set \"Settings\" = null where \"Id\" = 2; delete from \"Logins\" where \"CustomerId\" = 2; delete from \"Phone\" where \"CustomerId\" = 2");

        await _db.Customers.Where(c => c.Id == 2).ForUpdate().SingleAsync(Token);

        Assert.Null(customer.Settings);
        Assert.Null(customer.Login);
        Assert.Empty(customer.Phones);
        Assert.Equal(0, await _db.SaveChangesAsync(Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_gone_from_an_included_collection_is_gone_from_the_context(bool split)
    {
        await depot.ExecuteAsync($"insert into \"Lines\" values (3, {(split ? 1 : 3)}, 0), (3, {(split ? 2 : 4)}, 0)");
        var order = await _db.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == 3, Token);
        var lines = order.Lines.Count;
        var added = new Line { Number = 99 };
        order.Lines.Add(added);
        await depot.ExecuteAsync($"delete from \"Lines\" where \"OrderId\" = 3 and \"Number\" = {(split ? 1 : 3)}");

        var query = _db.Orders.Include(o => o.Lines).Where(o => o.Id == 3).ForUpdate();
        await (split ? query.AsSplitQuery() : query).SingleAsync(Token);

        Assert.Equal(lines, order.Lines.Count); // one gone, and the new one kept
        Assert.Contains(added, order.Lines);
        Assert.DoesNotContain(order.Lines, l => l.Number == (split ? 1 : 3));
        Assert.Equal(1, await _db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task What_is_gone_two_levels_down_is_gone_too()
    {
        await using (var other = depot.Open())
        {
            other.Add(new Customer { Id = 30, Orders = [new() { Id = 30, Lines = [new() { Number = 1 }, new() { Number = 2 }] }, new() { Id = 31 }] });
            await other.SaveChangesAsync(Token);
        }

        var customer = await _db.Customers.Include(c => c.Orders).ThenInclude(o => o.Lines).SingleAsync(c => c.Id == 30, Token);
        await depot.ExecuteAsync("delete from \"Lines\" where \"OrderId\" = 30 and \"Number\" = 1; update \"Orders\" set \"CustomerId\" = 2 where \"Id\" = 31");

        await _db.Customers.Include(c => c.Orders).ThenInclude(o => o.Lines).Where(c => c.Id == 30).ForUpdate().SingleAsync(Token);

        Assert.Equal([2], customer.Orders.Single().Lines.Select(l => l.Number));
        Assert.Equal(0, await _db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task What_a_filter_leaves_out_of_a_collection_stays()
    {
        var order = await _db.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == 1, Token);
        var lines = order.Lines.Count;

        await _db.Orders.Include(o => o.Lines.Where(l => l.Number == 1)).Where(o => o.Id == 1).ForUpdate().SingleAsync(Token);
        await _db.Orders.Where(o => o.Id == 1).ForUpdate().SingleAsync(Token);

        Assert.Equal(lines, order.Lines.Count);
    }
}
