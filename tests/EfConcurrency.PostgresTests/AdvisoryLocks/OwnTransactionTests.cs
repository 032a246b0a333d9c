using System.Transactions;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>What can go wrong in the transaction that the call opens, with and without a retrying strategy.</summary>
public sealed class OwnTransactionTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Work_that_throws_is_rolled_back_and_the_lock_is_free()
    {
        AdvisoryKey key = "thrown";
        var id = await database.AddTallyAsync();
        await using var db = database.Open();

        await Assert.ThrowsAsync<KeyNotFoundException>(() => db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                await IncrementAsync(db, id, token);
                throw new KeyNotFoundException();
            },
            cancellationToken: Token));

        Assert.Equal(0, await database.ValueAsync(id));
        Assert.Equal(0, await database.LocksAsync(key));
        Assert.True(db.Database.AutoSavepointsEnabled);
    }

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
                await IncrementAsync(db, id, token);
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
    public async Task With_a_retrying_strategy_unsaved_changes_are_refused()
    {
        await using var db = database.Open(retries: true);
        db.Add(new Tally());
        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.WithAdvisoryLockAsync("unsaved", (_, token) => db.SaveChangesAsync(token), cancellationToken: Token));
        Assert.Equal(AdvisoryLockRefusal.UnsavedChanges, error.Reason);
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
                await IncrementAsync(db, id, token);
                injected = proxy.FaultNextCommit(CommitFault.CutAfter);
            },
            cancellationToken: Token);

        Assert.True(injected!.IsCompleted);
        Assert.Equal(1, attempts);
        Assert.Equal(1, await database.ValueAsync(id));
        await database.UntilFreeAsync(key);
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
                await IncrementAsync(db, id, token);
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
    public async Task A_save_that_failed_and_was_swallowed_is_not_committed()
    {
        var id = await database.AddTallyAsync();
        await using var db = database.Open();

        var error = await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.WithAdvisoryLockAsync(
            "swallowed",
            async (_, token) =>
            {
                (await db.Tallies.SingleAsync(t => t.Id == id, token)).Value++;
                db.Attach(new Tally { Id = -1 }).Entity.Value = 1;
                await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync(token));
            },
            cancellationToken: Token));

        Assert.NotNull(error);
        Assert.Equal(0, await database.ValueAsync(id));
    }

    [Fact]
    public async Task After_a_save_that_failed_no_other_is_begun()
    {
        await using var db = database.Open();
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.WithAdvisoryLockAsync(
            "second save",
            async (_, token) =>
            {
                db.Attach(new Tally { Id = -1 }).Entity.Value = 1;
                await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync(token));
                var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.SaveChangesAsync(token));
                Assert.Equal(AdvisoryLockRefusal.SaveFailed, error.Reason);
            },
            cancellationToken: Token));

        db.ChangeTracker.Clear();
        db.Add(new Tally());
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task A_statement_that_failed_and_was_swallowed_is_no_silent_rollback()
    {
        var id = await database.AddTallyAsync();
        await using var db = database.Open();

        var error = await Assert.ThrowsAsync<PostgresException>(() => db.WithAdvisoryLockAsync(
            "silent rollback",
            async (_, token) =>
            {
                await IncrementAsync(db, id, token);
                await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlAsync($"select 1 / 0", token));
            },
            cancellationToken: Token));

        Assert.Equal("25P02", error.SqlState);
        Assert.Equal(0, await database.ValueAsync(id));
    }

    [Fact]
    public async Task Work_that_ends_the_transaction_itself_is_told()
    {
        AdvisoryKey key = "ended";
        await using var db = database.Open();
        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.WithAdvisoryLockAsync(key, (_, token) => db.Database.CommitTransactionAsync(token), cancellationToken: Token));
        Assert.Equal(AdvisoryLockRefusal.TransactionEnded, error.Reason);
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task A_TransactionScope_is_refused()
    {
        await using var db = database.Open();
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        foreach (var call in (Func<Task>[])
            [() => db.WithAdvisoryLockAsync("ambient", (_, _) => Task.CompletedTask, cancellationToken: Token), () => db.SaveChangesUnderAdvisoryLockAsync("ambient", cancellationToken: Token)])
        {
            var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(call);
            Assert.Equal(AdvisoryLockRefusal.AmbientTransaction, error.Reason);
        }
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

                await db.WithAdvisoryLockAsync(second, (_, _) => Task.CompletedTask, new() { Timeout = TimeSpan.FromSeconds(20) }, token);
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

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 4)]
    public async Task Lock_save_and_commit_take_three_round_trips_and_a_wait_one_more(bool waits, int expected)
    {
        AdvisoryKey key = $"trips {waits}";
        var id = await database.AddTallyAsync();
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        var tally = await db.Tallies.SingleAsync(t => t.Id == id, Token);
        await using var holder = waits ? await database.HoldAsync(key) : null;

        var trips = proxy.CountRoundTrips();
        var work = db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                tally.Value++;
                await db.SaveChangesAsync(token);
            },
            new() { Timeout = TimeSpan.FromSeconds(20) },
            Token);
        if (holder is not null)
        {
            await database.UntilWaitingForLocksAsync(1);
            await holder.CloseAsync();
        }

        await work;
        Assert.Equal(expected, trips.Count);
    }

    [Fact]
    public async Task Without_UseEfConcurrency_the_call_says_what_is_missing()
    {
        await using var db = new LockContext(new DbContextOptionsBuilder<LockContext>().UseNpgsql(database.ConnectionString).Options);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.WithAdvisoryLockAsync("x", (_, _) => Task.CompletedTask, cancellationToken: Token));
        Assert.Contains("UseEfConcurrency()", error.Message, StringComparison.Ordinal);
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

    private static async Task IncrementAsync(LockContext db, int id, CancellationToken token)
    {
        (await db.Tallies.SingleAsync(t => t.Id == id, token)).Value++;
        await db.SaveChangesAsync(token);
    }
}
