using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>The transaction that the call opens, under a strategy that repeats it.</summary>
public sealed class OwnTransactionRetryTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_strategy_repeats_lock_and_work_together_on_an_empty_tracker()
    {
        AdvisoryKey key = "repeated";
        var id = await database.AddTallyAsync();
        await using var db = database.Open(retries: true);
        var attempts = 0;

        await db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                Assert.Empty(db.ChangeTracker.Entries());
                await db.IncrementAsync(id, token);
                Assert.Equal(1, await database.LocksAsync(key));
                if (++attempts == 1)
                {
                    // The session of the first attempt ends, and with it its lock.
                    await database.ExecuteAsync($"select pg_terminate_backend({((NpgsqlConnection)db.Database.GetDbConnection()).ProcessID})");
                    await db.Tallies.CountAsync(token);
                }
            },
            cancellationToken: Token);

        Assert.Equal(2, attempts);
        Assert.Equal(1, await database.ValueAsync(id));
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task A_session_that_ends_before_the_commit_makes_the_work_run_again()
    {
        var id = await database.AddTallyAsync();
        await using var db = database.Open(retries: true);
        var attempts = 0;

        await db.WithAdvisoryLockAsync(
            "ended before the commit",
            async (_, token) =>
            {
                await db.IncrementAsync(id, token);
                if (++attempts == 1)
                {
                    await database.ExecuteAsync($"select pg_terminate_backend({((NpgsqlConnection)db.Database.GetDbConnection()).ProcessID})");
                }
            },
            cancellationToken: Token);

        Assert.Equal(2, attempts);
        Assert.Equal(1, await database.ValueAsync(id));
    }

    [Fact]
    public async Task A_lost_reply_to_the_commit_does_not_make_the_work_run_again()
    {
        AdvisoryKey key = "lost reply";
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString, retries: true);
        var id = await database.AddTallyAsync();
        var attempts = 0;
        Task? injected = null;

        await db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                attempts++;
                await db.IncrementAsync(id, token);
                injected = proxy.FaultNextCommit(CommitFault.CutAfter);
            },
            cancellationToken: Token);

        Assert.True(injected!.IsCompleted);
        Assert.Equal(1, attempts);
        Assert.Equal(1, await database.ValueAsync(id));
        await database.UntilFreeAsync(key);
    }

    [Fact]
    public async Task With_a_retrying_strategy_unsaved_changes_are_refused()
    {
        await using var db = database.Open(retries: true);
        db.Add(new Tally());
        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.WithAdvisoryLockAsync("unsaved", (_, token) => db.SaveChangesAsync(token), cancellationToken: Token));
        Assert.Equal(AdvisoryLockRefusal.UnsavedChanges, error.Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deadlock_is_told_or_repeated_by_the_strategy(bool retries)
    {
        AdvisoryKey first = $"deadlock 1 {retries}", second = $"deadlock 2 {retries}";
        await using var db = database.Open(database.ConnectionString + ";Options=-c deadlock_timeout=100ms", retries);
        await using var other = await database.HoldAsync(second);
        var attempts = 0;
        Task<object?>? crossing = null;

        // The other one holds the second key and waits for the first; deadlock_timeout lets our session, which waits last, find the circle.
        var work = db.WithAdvisoryLockAsync(
            first,
            async (_, token) =>
            {
                if (++attempts == 1)
                {
                    crossing = new NpgsqlCommand($"set deadlock_timeout = '1min'; select pg_advisory_lock({first.Number}), pg_advisory_unlock_all()", other).ExecuteScalarAsync(token);
                    await database.UntilWaitingForLocksAsync(1);
                }

                await db.WithAdvisoryLockAsync(second, (_, _) => Task.CompletedTask, new() { Timeout = TimeSpan.FromMinutes(1) }, token);
            },
            cancellationToken: Token);

        if (retries)
        {
            await work;
        }
        else
        {
            var error = await Assert.ThrowsAsync<AdvisoryLockDeadlockException>(() => work);
            Assert.Equal(second, Assert.Single(error.Keys));
        }

        await crossing!;
        Assert.Equal(retries ? 2 : 1, attempts);
        Assert.Equal(0, await database.LocksAsync(first));
        Assert.Equal(0, await database.LocksAsync(second));
    }

    [Fact]
    public async Task A_full_lock_table_is_told_and_not_retried()
    {
        await using var small = await LocalPostgres.StartAsync(
            new() { MaxConnections = 10, Settings = new Dictionary<string, string> { ["max_locks_per_transaction"] = "10" } }, Token);
        await using var db = database.Open(small.ConnectionString, retries: true);
        var keys = AdvisoryKeySet.Of([.. Enumerable.Range(0, 20_000).Select(i => AdvisoryKey.Of(i))]);

        var error = await Assert.ThrowsAsync<AdvisoryLockTableFullException>(() => db.WithAdvisoryLockAsync(keys, (_, _) => Task.CompletedTask, cancellationToken: Token));
        Assert.Equal(20_000, error.Keys.Count);
    }
}
