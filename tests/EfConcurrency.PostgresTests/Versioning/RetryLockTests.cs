using System.Runtime.CompilerServices;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>Escalation: a retry that first locks what it lost.</summary>
public sealed class RetryLockTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(0, false)]
    public async Task The_rows_that_were_lost_are_locked_from_the_nth_conflict_on(int lockAfter, bool isLocked)
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var attempts = 0;
        var options = new RetryOnConflictOptions { LockAfterConflicts = lockAfter, BaseDelay = TimeSpan.Zero, MaxDelay = TimeSpan.Zero };

        await ShopFactory.Create(shop.ConnectionString).RetryOnConflictAsync(
            async (db, token) =>
            {
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                if (++attempts == 1)
                {
                    await shop.ChangeAsync<Counter>(id, c => c.Value = 10);
                }
                else if (attempts == 2)
                {
                    // A writer that waits 50 ms at most gets through only if the row is not locked; then this attempt loses again.
                    var writer = Record.ExceptionAsync(() => shop.ExecuteAsync($"set lock_timeout = '50ms'; update \"Counters\" set \"Version\" = \"Version\" + 1 where \"Id\" = {id}"));
                    Assert.Equal(isLocked ? "55P03" : null, (await writer as PostgresException)?.SqlState);
                }

                counter.Value++;
                await db.SaveChangesAsync(token);
            },
            options,
            Token);

        Assert.Equal(isLocked ? 2 : 3, attempts);
        Assert.Equal(11, await shop.ScalarAsync<int>($"select \"Value\" from \"Counters\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task Units_that_lock_the_same_rows_in_another_order_do_not_deadlock()
    {
        var ids = new[] { (await shop.AddAsync(new Counter())).Id, (await shop.AddAsync(new Counter())).Id, (await shop.AddAsync(new Counter())).Id };
        var account = (await shop.AddAsync(new Account())).Id;
        var factory = ShopFactory.Create(shop.ConnectionString);
        var deadlocks = new StrongBox<int>();
        var options = Counting(deadlocks);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                await factory.RetryOnConflictAsync(
                    async (db, token) =>
                    {
                        foreach (var id in worker % 2 == 0 ? ids : ids.Reverse())
                        {
                            (await db.Counters.SingleAsync(c => c.Id == id, token)).Value++;
                        }

                        (await db.Accounts.SingleAsync(a => a.Id == account, token)).Balance++;
                        await db.SaveChangesAsync(token);
                    },
                    options,
                    Token);
            }
        }, Token)));

        Assert.Equal(0, deadlocks.Value);
        Assert.Equal(180L, await shop.ScalarAsync<long>($"select sum(\"Value\") from \"Counters\" where \"Id\" in ({string.Join(',', ids)})"));
        Assert.Equal(60m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {account}"));
    }

    /// <summary>Were the lost row locked alone, another writer who holds the first and wants the second would be in a deadlock with the retry.</summary>
    [Theory]
    [InlineData(2, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public async Task A_retry_locks_all_that_the_attempt_wrote_unless_it_is_a_batch(int rows, bool isLocked)
    {
        await using var seed = shop.Open();
        var counters = Enumerable.Range(0, rows).Select(_ => new Counter()).ToList();
        seed.AddRange(counters);
        await seed.SaveChangesAsync(Token);
        var ids = counters.ConvertAll(c => c.Id);
        var locked = new List<(bool First, bool Lost)>();

        await ShopFactory.Create(shop.ConnectionString).RetryOnConflictAsync(
            async (db, token) =>
            {
                await db.Counters.Where(c => ids.Contains(c.Id)).ForEachAsync(c => c.Value++, token);
                locked.Add((await IsLockedAsync(ids[0]), await IsLockedAsync(ids[^1])));
                if (locked.Count == 1)
                {
                    await shop.ChangeAsync<Counter>(ids[^1], c => c.Value = 10);
                }

                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token);

        Assert.Equal([(false, false), (isLocked, true)], locked);
    }

    /// <summary>Several saves in one unit come to the rows in the unit's own order, whatever their keys.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Units_that_write_some_of_several_contended_rows_do_not_deadlock(bool savesEach)
    {
        var ids = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add((await shop.AddAsync(new Counter())).Id);
        }

        var factory = ShopFactory.Create(shop.ConnectionString);
        var deadlocks = new StrongBox<int>();
        var options = Counting(deadlocks);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 25; i++)
            {
                var two = random.GetItems(ids.ToArray(), 2).Distinct().OrderDescending().ToArray();
                await factory.RetryOnConflictAsync(
                    async (db, token) =>
                    {
                        foreach (var some in savesEach ? two.Select(id => new[] { id }) : [two])
                        {
                            await db.Counters.Where(c => some.Contains(c.Id)).ForEachAsync(c => c.Value++, token);
                            await db.SaveChangesAsync(token);
                        }
                    },
                    options,
                    Token);
            }
        }, Token)));

        Assert.Equal(0, deadlocks.Value);
    }

    [Fact]
    public async Task A_row_that_is_lost_again_and_again_is_locked_from_the_first_attempt_and_forgotten_when_it_is_not_written()
    {
        var hot = (await shop.AddAsync(new Counter())).Id;
        var cold = (await shop.AddAsync(new Counter())).Id;
        var factory = ShopFactory.Create(shop.ConnectionString);
        var target = hot;
        var disturb = true;
        var wasLocked = false;

        async Task Unit(ShopContext db, CancellationToken token)
        {
            wasLocked = await IsLockedAsync(hot);
            var counter = await db.Counters.SingleAsync(c => c.Id == target, token);
            if (disturb && !wasLocked)
            {
                await shop.ChangeAsync<Counter>(hot, c => c.Value += 100);
            }

            counter.Value++;
            await db.SaveChangesAsync(token);
        }

        for (var i = 0; i < 16; i++)
        {
            await factory.RetryOnConflictAsync(Unit, cancellationToken: Token);
        }

        // Each lost once, and all wrote this row. The next begins with the lock.
        var attempts = 0;
        await factory.RetryOnConflictAsync(Unit, new RetryOnConflictOptions { OnRetry = _ => attempts++ }, Token);
        Assert.True(wasLocked);
        Assert.Equal(0, attempts);

        // A unit of the same place that writes another row needs no lock on this one, and the one after has none.
        (target, disturb) = (cold, false);
        await factory.RetryOnConflictAsync(Unit, cancellationToken: Token);
        await factory.RetryOnConflictAsync(Unit, cancellationToken: Token);
        Assert.False(wasLocked);
    }

    private static RetryOnConflictOptions Counting(StrongBox<int> deadlocks) => new()
    {
        MaxAttempts = 100,
        OnRetry = a => Interlocked.Add(ref deadlocks.Value, a.Exception.GetBaseException() is PostgresException { SqlState: "40P01" } ? 1 : 0),
    };

    private async Task<bool> IsLockedAsync(int id)
    {
        var error = await Record.ExceptionAsync(() => shop.ExecuteAsync($"select 1 from \"Counters\" where \"Id\" = {id} for no key update nowait"));
        return error is PostgresException { SqlState: "55P03" };
    }
}
