using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>Two sessions want one row.</summary>
public sealed class RowLockWaitTests(DepotDatabase depot) : IClassFixture<DepotDatabase>
{
    private static readonly RowLockWait Long = RowLockWait.Wait(TimeSpan.FromSeconds(30));
    private static readonly RowLockWait Short = RowLockWait.Wait(TimeSpan.FromMilliseconds(50));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<RowLockWait> Waiting => [RowLockWait.Default, Long];

    public static TheoryData<RowLockWait> Failing => [RowLockWait.NoWait, Short];

    [Theory]
    [MemberData(nameof(Waiting))]
    public async Task The_second_waits_and_reads_what_the_first_wrote(RowLockWait wait)
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        var waiting = db.Orders.Where(o => o.Id == 1).ForUpdate(wait).SingleAsync(Token);
        await depot.UntilWaitingForLocksAsync(1);
        await other.ExecuteAsync("update \"Orders\" set \"State\" = 'first' where \"Id\" = 1");
        await other.CommitAsync();

        Assert.Equal("first", (await waiting).State);
    }

    /// <summary>PostgreSQL reads the locked row again after the wait, but joined rows as they were before it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_included_is_read_after_the_wait_too(bool split)
    {
        await using var other = await depot.LockOrderElsewhereAsync(2);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var lines = await depot.ScalarAsync<long>("select count(*) from \"Lines\" where \"OrderId\" = 2");

        var query = db.Orders.Include(o => o.Lines).Where(o => o.Id == 2).ForUpdate();
        var waiting = (split ? query.AsSplitQuery() : query).SingleAsync(Token);
        await depot.UntilWaitingForLocksAsync(1);
        await other.ExecuteAsync($"insert into \"Lines\" values (2, {lines + 1}, 7)");
        await other.CommitAsync();

        Assert.Equal(lines + 1, (await waiting).Lines.Count);
    }

    [Theory]
    [MemberData(nameof(Failing))]
    public async Task One_that_must_not_wait_fails_and_its_transaction_goes_on(RowLockWait wait)
    {
        await using var other = await depot.LockOrderElsewhereAsync(3);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Orders.Where(o => o.Id == 4).ExecuteUpdateAsync(s => s.SetProperty(o => o.State, "kept " + wait), Token);

        var error = await Assert.ThrowsAsync<RowLockUnavailableException>(() => db.Orders.OrderBy(o => o.Id).ForUpdate(wait).ToListAsync(Token));

        Assert.Equal((wait, true), (error.Wait, error.IsTransactionUsable));
        Assert.Equal("55P03", Assert.IsType<PostgresException>(error.GetBaseException()).SqlState);
        Assert.Equal("3 4", await depot.LockedAsync("Orders")); // those before the failure are free again
        await transaction.CommitAsync(Token);
        Assert.Equal("kept " + wait, await depot.ScalarAsync<string>("select \"State\" from \"Orders\" where \"Id\" = 4"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_time_limit_ends_with_its_query(bool inTime)
    {
        await using var other = await depot.LockOrderElsewhereAsync(3);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Database.ExecuteSqlAsync($"set local lock_timeout = '7s'", Token);
        var query = db.Orders.Where(o => o.Id == (inTime ? 1 : 3)).ForUpdate(Short);

        if (inTime)
        {
            await query.SingleAsync(Token);
        }
        else
        {
            await Assert.ThrowsAsync<RowLockUnavailableException>(() => query.SingleAsync(Token));
        }

        Assert.Equal("7s", await db.Database.SqlQuery<string>($"select current_setting('lock_timeout') as \"Value\"").SingleAsync(Token));
    }

    [Fact]
    public async Task Locked_rows_are_skipped()
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        var free = await db.Orders.OrderBy(o => o.Id).Take(2).ForUpdate(RowLockWait.SkipLocked).Select(o => o.Id).ToListAsync(Token);

        Assert.Equal([2, 3], free);
        Assert.Equal("1 2 3", await depot.LockedAsync("Orders"));
    }

    [Fact]
    public async Task The_mode_and_the_wait_are_part_of_EFs_cache_key()
    {
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await using var other = await depot.LockOrderElsewhereAsync(1, "for key share");
        IQueryable<Order> One() => db.Orders.Where(o => o.Id == 1);

        Assert.Single(await One().ForNoKeyUpdate(RowLockWait.NoWait).ToListAsync(Token));
        await Assert.ThrowsAsync<RowLockUnavailableException>(() => One().ForUpdate(RowLockWait.NoWait).ToListAsync(Token));
        Assert.Empty(await One().ForUpdate(RowLockWait.SkipLocked).ToListAsync(Token));
        Assert.Single(await One().ForKeyShare(RowLockWait.NoWait).ToListAsync(Token));
        Assert.Contains("'50'", One().ForUpdate(Short).ToQueryString(), StringComparison.Ordinal);
        Assert.Contains("'30000'", One().ForUpdate(Long).ToQueryString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_limit_of_the_session_says_that_the_transaction_is_lost()
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Database.ExecuteSqlAsync($"set local lock_timeout = '50ms'", Token);

        var error = await Assert.ThrowsAsync<RowLockUnavailableException>(() => db.Orders.Where(o => o.Id == 1).ForUpdate().SingleAsync(Token));

        Assert.False(error.IsTransactionUsable);
        Assert.Contains("roll it back", error.Message, StringComparison.Ordinal);
    }
}
