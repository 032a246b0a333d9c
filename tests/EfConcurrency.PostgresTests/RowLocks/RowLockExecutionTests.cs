using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>Every way to run a query runs one that locks, and what it costs.</summary>
public sealed class RowLockExecutionTests(DepotDatabase depot) : IClassFixture<DepotDatabase>, IAsyncLifetime
{
    private static readonly Func<DepotContext, int, Task<Order?>> One =
        EF.CompileAsyncQuery((DepotContext db, int id) => db.Orders.ForUpdate(RowLockWait.Wait(TimeSpan.FromSeconds(5))).FirstOrDefault(o => o.Id == id));

    private static readonly Func<DepotContext, int, IAsyncEnumerable<Order>> Many =
        EF.CompileAsyncQuery((DepotContext db, int from) => db.Orders.Where(o => o.Id >= from).Include(o => o.Lines).ForNoKeyUpdate());

    private static readonly Func<DepotContext, int, Order> Sync =
        EF.CompileQuery((DepotContext db, int id) => db.Orders.ForShare().Single(o => o.Id == id));

    private DepotContext _db = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _db = depot.Open();
        await _db.Database.BeginTransactionAsync(Token);
    }

    public ValueTask DisposeAsync() => _db.DisposeAsync();

    [Fact]
    public async Task Every_way_to_enumerate_locks()
    {
        var locked = _db.Orders.OrderBy(o => o.Id).ForUpdate();

        Assert.Equal(4, locked.ToList().Count);
        Assert.Equal(1, locked.First().Id);
        Assert.Equal(2, locked.Single(o => o.Id == 2).Id);
        Assert.Null(locked.SingleOrDefault(o => o.Id == 99));
        Assert.Equal(1, (await locked.FirstAsync(Token)).Id);
        Assert.Equal(4, (await locked.LastAsync(Token)).Id);
        Assert.Equal(4, (await locked.ToDictionaryAsync(o => o.Id, Token)).Count);
        await Assert.ThrowsAsync<InvalidOperationException>(() => locked.SingleAsync(Token));
        Assert.Equal(3, (await locked.ElementAtAsync(2, Token)).Id);
        Assert.Equal("1 2 3 4", await depot.LockedAsync("Orders"));
    }

    [Fact]
    public async Task Other_commands_may_run_while_the_rows_are_enumerated()
    {
        await foreach (var order in _db.Orders.Where(o => o.Id < 3).ForUpdate().AsAsyncEnumerable().WithCancellation(Token))
        {
            order.State += "!";
            await _db.SaveChangesAsync(Token);
        }

        Assert.Equal(2, (await _db.Orders.Select(o => o.State).ToListAsync(Token)).Count(s => s.EndsWith('!')));
    }

    [Fact]
    public async Task Rows_may_be_grouped_in_memory()
    {
        var groups = await _db.Orders.ForUpdate().GroupBy(o => o.CustomerId).ToListAsync(Token);

        Assert.Equal([1, 2, 3], groups.Select(g => g.Key).Order());
        Assert.Equal("1 2 3 4", await depot.LockedAsync("Orders"));
    }

    [Fact]
    public async Task A_part_of_a_split_query_may_lock()
    {
        var query = _db.Orders.Where(o => o.Id == 1).Select(o => new { o.Id, Lines = o.Lines.AsQueryable().ForUpdate().ToList() }).AsSplitQuery();

        Assert.Equal(2, (await query.SingleAsync(Token)).Lines.Count);
        Assert.Equal("1 2", await depot.LockedAsync("Lines", "Number"));
        await _db.Database.RollbackTransactionAsync(Token);
        await Assert.ThrowsAsync<RowLockTransactionRequiredException>(() => query.SingleAsync(Token));
    }

    [Fact]
    public async Task Bulk_writes_may_choose_their_rows_under_a_lock()
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);

        Assert.Equal(2, await _db.Orders.OrderBy(o => o.Id).Take(2).ForUpdate(RowLockWait.SkipLocked).ExecuteUpdateAsync(s => s.SetProperty(o => o.State, "bulk"), Token));
        Assert.Equal([2, 3], await _db.Orders.Where(o => o.State == "bulk").OrderBy(o => o.Id).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(2, await _db.Lines.OrderByDescending(l => l.Number).Take(2).ForUpdate(RowLockWait.SkipLocked).ExecuteDeleteAsync(Token));
    }

    [Fact]
    public async Task Compiled_queries_lock_with_their_parameters()
    {
        Assert.Equal(2, (await One(_db, 2))!.Id);
        Assert.Equal("2", await depot.LockedAsync("Orders"));
        Assert.Equal(3, Sync(_db, 3).Id);
        Assert.Equal("2 3", await depot.LockedAsync("Orders"));
    }

    [Fact]
    public async Task A_compiled_query_that_is_enumerated_twice_reads_twice()
    {
        var orders = Many(_db, 4);
        var order = (await orders.ToListAsync(Token)).Single();
        await _db.Database.ExecuteSqlAsync($"update \"Orders\" set \"State\" = 'again' where \"Id\" = 4", Token);

        Assert.Same(order, (await orders.ToListAsync(Token)).Single());
        Assert.Equal("again", order.State);
    }

    [Fact]
    public async Task Parameters_are_not_baked_in()
    {
        foreach (var id in (int[])[1, 2])
        {
            Assert.Equal(id, (await _db.Orders.Where(o => o.Id == id).ForUpdate(RowLockWait.Wait(TimeSpan.FromSeconds(5))).SingleAsync(Token)).Id);
        }
    }

    [Fact]
    public async Task Statements_that_Npgsql_prepares_by_itself_work_as_others()
    {
        var options = new DbContextOptionsBuilder<DepotContext>().UseNpgsql(depot.ConnectionString + ";Max Auto Prepare=20;Auto Prepare Min Usages=2").UseEfConcurrency().Options;
        await using var db = new DepotContext(options);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        for (var id = 1; id <= 4; id++)
        {
            Assert.Equal(id, (await db.Orders.Where(o => o.Id == id).ForUpdate(RowLockWait.Wait(TimeSpan.FromSeconds(5))).SingleAsync(Token)).Id);
        }
    }

    [Theory]
    [InlineData("plain", 1)]
    [InlineData("no wait", 1)]
    [InlineData("limited", 1)]
    [InlineData("refused", 2)]
    [InlineData("with Include", 2)]
    public async Task A_lock_costs_no_more_round_trips_than_it_must(string kind, int expected)
    {
        await using var proxy = depot.StartProxy();
        await using var db = new DepotContext(new DbContextOptionsBuilder<DepotContext>().UseNpgsql(proxy.ConnectionString).UseEfConcurrency().Options);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Customers.AnyAsync(Token); // BEGIN rides with it
        await using var other = kind == "refused" ? await depot.LockOrderElsewhereAsync(1) : null;
        var orders = db.Orders.Where(o => o.Id == 1);
        var trips = proxy.CountRoundTrips();

        await Record.ExceptionAsync(() => (kind switch
        {
            "plain" => orders.ForUpdate(),
            "limited" => orders.ForUpdate(RowLockWait.Wait(TimeSpan.FromSeconds(5))),
            "with Include" => orders.Include(o => o.Lines).ForUpdate(),
            _ => orders.ForUpdate(RowLockWait.NoWait),
        }).ToListAsync(Token));

        Assert.Equal(expected, trips.Count);
    }

    [Fact]
    public async Task Under_repeatable_read_one_statement_does()
    {
        await using var proxy = depot.StartProxy();
        await using var db = new DepotContext(new DbContextOptionsBuilder<DepotContext>().UseNpgsql(proxy.ConnectionString).UseEfConcurrency().Options);
        await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        await db.Customers.AnyAsync(Token);
        var trips = proxy.CountRoundTrips();

        await db.Orders.Where(o => o.Id == 1).Include(o => o.Lines).ForUpdate().ToListAsync(Token);

        Assert.Equal(1, trips.Count);
    }

    [Fact]
    public async Task Works_with_a_pooled_context_and_Npgsql_called_last()
    {
        var options = new DbContextOptionsBuilder<DepotContext>().UseEfConcurrency().UseNpgsql(depot.ConnectionString).Options;
        var factory = new Microsoft.EntityFrameworkCore.Infrastructure.PooledDbContextFactory<DepotContext>(options, poolSize: 1);
        for (var i = 0; i < 2; i++)
        {
            await using var db = await factory.CreateDbContextAsync(Token);
            await Assert.ThrowsAsync<RowLockTransactionRequiredException>(() => db.Orders.ForUpdate().ToListAsync(Token));
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            Assert.Equal(4, (await db.Orders.ForUpdate().ToListAsync(Token)).Count);
        }
    }
}
