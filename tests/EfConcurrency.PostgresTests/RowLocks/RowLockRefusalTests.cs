using EfConcurrency.QueryPipeline;
using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>What PostgreSQL can't lock is refused when the query is translated, with a word on what to do instead.</summary>
public sealed class RowLockRefusalTests(DepotDatabase depot) : IClassFixture<DepotDatabase>
{
    private static readonly int[] Keys = [1, 2];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string, string, Action<DepotContext>>> Illegal =>
    [
        new("Distinct after", "Distinct", db => db.Orders.ForUpdate().Distinct().Load()),
        new("Distinct before", "Distinct", db => db.Orders.Distinct().ForUpdate().Load()),
        new("GroupBy", "GroupBy", db => db.Orders.ForUpdate().GroupBy(o => o.CustomerId).Select(g => new { g.Key, Count = g.Count() }).Load()),
        new("Count", "aggregate", db => _ = db.Orders.ForUpdate().Count()),
        new("Sum", "aggregate", db => _ = db.Orders.ForUpdate().Sum(o => o.CustomerId)),
        new("Max", "aggregate", db => _ = db.Orders.ForUpdate().Max(o => o.CustomerId)),
        new("Union before", "Union", db => db.Orders.Where(o => o.Id == 1).Union(db.Orders.Where(o => o.Id == 2)).ForUpdate().Load()),
        new("Union after", "Union", db => db.Orders.ForUpdate().Union(db.Orders.Where(o => o.Id == 2)).Load()),
        new("Concat inside", "Union", db => db.Orders.Where(o => o.Id == 1).Concat(db.Orders.ForUpdate()).Load()),
        new("Except", "Union", db => db.Orders.Except(db.Orders.Where(o => o.Id == 1).ForUpdate()).Load()),
        new("left join, optional side", "optional side", db => db.Orders.LeftJoin(db.Lines.ForUpdate(), o => o.Id, l => l.OrderId, (o, l) => new { o, l }).Load()),
        new("right join, optional side", "optional side", db => db.Lines.ForUpdate().RightJoin(db.Orders, l => l.OrderId, o => o.Id, (l, o) => new { o, l }).Load()),
        new("GroupJoin with DefaultIfEmpty", "optional side", db => (from o in db.Orders join l in db.Lines.ForUpdate() on o.Id equals l.OrderId into g from l in g.DefaultIfEmpty() select new { o, l }).Load()),
        new("DefaultIfEmpty of a page", "optional side", db => db.Orders.SelectMany(o => db.Lines.Where(l => l.OrderId == o.Id).OrderBy(l => l.Number).Take(1).ForUpdate().DefaultIfEmpty()).Load()),
        new("optional navigation", "optional side", db => db.Orders.Select(o => o.Approver!).ForUpdate().Load()),
        new("no key", "no key", db => db.Set<Keyless>().ForUpdate().Load()),
        new("ToSqlQuery", "FromSql", db => db.Set<FromQuery>().ForUpdate().Load()),
        new("FromSql", "FromSql", db => db.Orders.FromSqlRaw("select * from \"Orders\"").ForUpdate().Load()),
        new("view", "no table", db => db.Set<FromView>().ForUpdate().Load()),
        new("TPC, whole hierarchy", "TPC", db => db.Parcels.ForUpdate().Load()),
        new("behind a projection", "before Select", db => db.Orders.Select(o => new { o.Id }).ForUpdate().Load()),
        new("part of a JSON column", "JSON", db => db.Customers.Select(c => c.Settings!).AsNoTracking().ForUpdate().Load()),
        new("two locks on one table", "in another way", db => db.Orders.ForUpdate().ForShare().Load()),
        new("two time limits", "different times", db => db.Orders.ForUpdate(RowLockWait.Wait(TimeSpan.FromSeconds(1))).Join(db.Customers.ForShare(RowLockWait.Wait(TimeSpan.FromSeconds(2))), o => o.CustomerId, c => c.Id, (o, c) => o).Load()),
        new("split query that skips", "AsSingleQuery", db => db.Orders.Include(o => o.Lines).AsSplitQuery().ForUpdate(RowLockWait.SkipLocked).Load()),
        new("ExecuteUpdate", "by themselves", db => db.Orders.ForUpdate().ExecuteUpdate(s => s.SetProperty(o => o.State, "x"))),
        new("ExecuteDelete", "by themselves", db => db.Orders.Where(o => o.Id == 1).ForUpdate().ExecuteDelete()),
        new("ExecuteUpdate that may fail", "not fail", db => db.Orders.OrderBy(o => o.Id).Take(1).ForUpdate(RowLockWait.NoWait).ExecuteUpdate(s => s.SetProperty(o => o.State, "x"))),
    ];

    [Theory]
    [MemberData(nameof(Illegal))]
    public async Task What_can_not_be_locked_is_refused_with_a_way_out(string shape, string told, Action<DepotContext> run)
    {
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        var error = Assert.Throws<UnsupportedRowLockException>(() => run(db));

        Assert.True(error.Message.Contains(told, StringComparison.Ordinal), $"{shape}: {error.Message}");
        Assert.Equal(4, await db.Orders.CountAsync(Token));
    }

    [Fact]
    public async Task The_ways_out_are_open()
    {
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        Assert.Equal(2, (await db.Orders.Where(o => Keys.Contains(o.Id)).ForUpdate().ToListAsync(Token)).Count);
        Assert.Equal(2, await db.Orders.OrderBy(o => o.Id).Take(2).ForUpdate().CountAsync(Token));
        Assert.True(await db.Orders.Where(o => o.Id == 1).ForUpdate().AnyAsync(Token));
        Assert.Equal(1, await db.Orders.OrderBy(o => o.Id).Take(1).ForUpdate(RowLockWait.SkipLocked).ExecuteUpdateAsync(s => s.SetProperty(o => o.State, "x"), Token));
    }

    [Fact]
    public async Task A_time_limit_as_a_parameter_of_a_compiled_query_is_refused()
    {
        var query = EF.CompileAsyncQuery((DepotContext db, RowLockWait wait) => db.Orders.ForUpdate(wait));
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        var error = Assert.Throws<UnsupportedRowLockException>(() => query(db, RowLockWait.NoWait));

        Assert.Contains("Compile one query for each", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(3e12)]
    public void A_time_limit_is_positive_and_fits_into_lock_timeout(double milliseconds)
        => Assert.Throws<ArgumentOutOfRangeException>(() => RowLockWait.Wait(TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public void On_objects_the_operators_do_nothing()
    {
        var objects = new[] { new Order { Id = 1 } }.AsQueryable();

        Assert.Same(objects, objects.ForUpdate());
        Assert.Single(objects.ForNoKeyUpdate().ForShare(RowLockWait.NoWait).ForKeyShare());
    }

    [Fact]
    public async Task Without_a_transaction_nothing_is_sent()
    {
        await using var proxy = depot.StartProxy();
        await using var db = new DepotContext(new DbContextOptionsBuilder<DepotContext>().UseNpgsql(proxy.ConnectionString).UseEfConcurrency().Options);
        await db.Database.OpenConnectionAsync(Token);
        var trips = proxy.CountRoundTrips();

        var error = await Assert.ThrowsAsync<RowLockTransactionRequiredException>(() => db.Orders.ForUpdate().ToListAsync(Token));
        Assert.Throws<RowLockTransactionRequiredException>(() => db.Orders.ForUpdate().First());

        Assert.Contains("BeginTransactionAsync", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, trips.Count);
    }

    [Fact]
    public async Task A_transaction_scope_is_a_transaction()
    {
        using var scope = new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled);
        await using var db = depot.Open();

        await db.Orders.Where(o => o.Id == 1).Include(o => o.Lines).ForUpdate(RowLockWait.Wait(TimeSpan.FromSeconds(5))).SingleAsync(Token);

        Assert.Equal("1", await depot.LockedAsync("Orders"));
        await using var other = await depot.LockOrderElsewhereAsync(2);
        Assert.True((await Assert.ThrowsAsync<RowLockUnavailableException>(() => db.Orders.ForUpdate(RowLockWait.NoWait).ToListAsync(Token))).IsTransactionUsable);
        Assert.Equal(4, await db.Orders.CountAsync(Token));
    }
}
