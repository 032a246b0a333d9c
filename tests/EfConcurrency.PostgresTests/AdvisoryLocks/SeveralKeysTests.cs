using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

public sealed class SeveralKeysTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_keys_are_locked_in_one_round_trip()
    {
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        await db.Tallies.CountAsync(Token);
        AdvisoryKey[] keys = ["a", "b", 7, (7, 7), (-1, -1), long.MaxValue];

        var trips = proxy.CountRoundTrips();
        await db.WithAdvisoryLockAsync(
            [.. keys, .. keys],
            async (held, _) =>
            {
                Assert.Equal(1, trips.Count);
                Assert.Equal(keys.Length, held.Keys.Count);
                foreach (var key in keys)
                {
                    Assert.Equal(1, await database.LocksAsync(key));
                }
            },
            cancellationToken: Token);
    }

    [Fact]
    public async Task Keys_are_waited_for_in_one_order_however_they_are_given()
    {
        AdvisoryKey[] keys = [3, 1, (1, 2), 2];
        await using var db = database.Open();

        // Whoever waits for a key holds exactly the ones before it.
        foreach (var (held, before) in new (AdvisoryKey, AdvisoryKey[])[] { (1, []), (2, [1]), (3, [1, 2]), ((1, 2), [1, 2, 3]) })
        {
            var holder = await database.HoldAsync(held);
            var waiting = db.WithAdvisoryLockAsync([.. keys], (_, _) => Task.CompletedTask, new() { Timeout = TimeSpan.FromMinutes(1) }, Token);
            await database.UntilWaitingForLocksAsync(1);
            foreach (var key in keys.Where(k => k != held))
            {
                Assert.Equal(before.Contains(key) ? 1 : 0, await database.LocksAsync(key));
            }

            await holder.DisposeAsync();
            await waiting;
        }
    }

    [Fact]
    public async Task Crossing_sets_do_not_deadlock()
    {
        var id = await database.AddTallyAsync();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async worker =>
        {
            await using var db = database.Open();
            for (var i = 0; i < 30; i++)
            {
                await db.WithAdvisoryLockAsync(
                    worker % 2 == 0 ? ["left", "right", "middle"] : ["right", "middle", "left"],
                    async (_, token) =>
                    {
                        db.ChangeTracker.Clear();
                        (await db.Tallies.SingleAsync(t => t.Id == id, token)).Value++;
                        await db.SaveChangesAsync(token);
                    },
                    new() { Timeout = TimeSpan.FromMinutes(1) },
                    Token);
            }
        }));
        Assert.Equal(180, await database.ValueAsync(id));
    }

    [Fact]
    public async Task All_keys_share_one_deadline()
    {
        AdvisoryKey first = 101, second = 102;
        var holder = await database.HoldAsync(first);
        await using var other = await database.HoldAsync(second);
        await using var db = database.Open();
        var options = new AdvisoryLockOptions { Timeout = TimeSpan.FromSeconds(4) };
        var started = TimeProvider.System.GetTimestamp();

        // The first key comes free when most of the time is over; were the second given the same time again, it would take twice as long.
        var waiting = db.TryWithAdvisoryLockAsync([first, second], (_, _) => Task.CompletedTask, options, Token);
        await database.UntilWaitingForLocksAsync(1);
        await Task.Delay(TimeSpan.FromSeconds(3.5), Token);
        await holder.DisposeAsync();

        Assert.Equal(AdvisoryLockStatus.Busy, await waiting);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(3.9), TimeSpan.FromSeconds(7.2));
    }

    [Theory]
    [InlineData(AdvisoryLockScope.Transaction)]
    [InlineData(AdvisoryLockScope.Session)]
    public async Task Of_several_keys_that_are_not_all_free_none_is_kept(AdvisoryLockScope scope)
    {
        AdvisoryKey free = $"free {scope}", held = $"held {scope}";
        await using var holder = await database.HoldAsync(held);
        await using var db = database.Open();
        foreach (var timeout in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMilliseconds(50)])
        {
            Assert.Equal(AdvisoryLockStatus.Busy, await db.TryWithAdvisoryLockAsync([free, held], (_, _) => Task.CompletedTask, new() { Scope = scope, Timeout = timeout }, Token));
            Assert.Equal(0, await database.LocksAsync(free));
        }
    }
}
