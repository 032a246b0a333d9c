using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>The call opens the transaction.</summary>
public sealed class TransactionScopeTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_work_is_committed_and_the_lock_is_free_afterwards()
    {
        AdvisoryKey key = "committed";
        var id = await database.AddTallyAsync();
        await using var db = database.Open();

        var value = await db.WithAdvisoryLockAsync(
            key,
            async (held, token) =>
            {
                Assert.Equal(1, await database.LocksAsync(key));
                Assert.Equal(key, Assert.Single(held.Keys));
                Assert.False(held.LostToken.CanBeCanceled);
                var tally = await db.Tallies.SingleAsync(t => t.Id == id, token);
                tally.Value++;
                await db.SaveChangesAsync(token);
                Assert.Equal(0, await database.ValueAsync(id));
                return tally.Value;
            },
            cancellationToken: Token);

        Assert.Equal(1, value);
        Assert.Equal(1, await database.ValueAsync(id));
        Assert.Equal(0, await database.LocksAsync(key));
        Assert.Null(db.Database.CurrentTransaction);
        Assert.True(db.Database.AutoSavepointsEnabled);
    }

    [Fact]
    public async Task BEGIN_and_lock_take_one_round_trip_the_save_one_and_the_commit_one()
    {
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        var tally = new Tally();
        db.Add(tally);
        await db.SaveChangesAsync(Token);
        long? taken = null;

        var trips = proxy.CountRoundTrips();
        await db.WithAdvisoryLockAsync(
            "round trips",
            async (_, token) =>
            {
                taken = trips.Count;
                tally.Value++;
                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token);

        Assert.Equal(1, taken);
        Assert.Equal(3, trips.Count);
    }

    [Fact]
    public async Task A_wait_ends_with_an_exception_that_no_strategy_retries()
    {
        AdvisoryKey key = "waited for in vain";
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open(retries: true);
        var options = new AdvisoryLockOptions { Timeout = TimeSpan.FromMilliseconds(100) };
        var started = TimeProvider.System.GetTimestamp();

        var error = await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.WithAdvisoryLockAsync(key, Fail, options, Token));

        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(90));
        Assert.Equal(key, Assert.Single(error.Keys));
        Assert.Equal(options.Timeout, error.Timeout);
        Assert.Contains("waited for in vain", error.Message, StringComparison.Ordinal);
        Assert.IsNotType<TimeoutException>(error, exactMatch: false);
        Assert.IsNotType<Npgsql.NpgsqlException>(error, exactMatch: false);
        Assert.Equal(1, await database.LocksAsync(key));
        Assert.Null(db.Database.CurrentTransaction);
    }

    [Fact]
    public async Task A_statement_timeout_of_the_server_ends_the_wait_like_ours()
    {
        AdvisoryKey key = "statement timeout";
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open(database.ConnectionString + ";Options=-c statement_timeout=100");

        await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.WithAdvisoryLockAsync(key, Fail, cancellationToken: Token));
    }

    [Fact]
    public async Task Trying_a_lock_that_is_held_says_Busy_and_holds_nothing()
    {
        AdvisoryKey key = "tried";
        await using (await database.HoldAsync(key))
        {
            await using var db = database.Open();
            var outcome = await db.TryWithAdvisoryLockAsync(key, (_, _) => Task.FromResult(5), cancellationToken: Token);

            Assert.Equal(AdvisoryLockStatus.Busy, outcome.Status);
            Assert.False(outcome.TryGetValue(out _));
            Assert.Throws<InvalidOperationException>(() => outcome.Value);
            Assert.Null(db.Database.CurrentTransaction);
        }

        await database.UntilFreeAsync(key);
    }

    [Fact]
    public async Task Trying_a_free_lock_runs_the_work()
    {
        await using var db = database.Open();
        var outcome = await db.TryWithAdvisoryLockAsync("free", (_, _) => Task.FromResult(5), cancellationToken: Token);
        Assert.Equal(5, outcome.Value);
        Assert.Equal(AdvisoryLockStatus.Ran, await db.TryWithAdvisoryLockAsync("free", (_, _) => Task.CompletedTask, cancellationToken: Token));
    }

    [Fact]
    public async Task Trying_with_a_timeout_waits()
    {
        AdvisoryKey key = "tried for long";
        var holder = await database.HoldAsync(key);
        await using var db = database.Open();
        var tried = db.TryWithAdvisoryLockAsync(key, (held, _) => Task.FromResult(held.Waited), new() { Timeout = TimeSpan.FromMinutes(1) }, Token);
        await database.UntilWaitingForLocksAsync(1);
        await holder.DisposeAsync();
        Assert.True((await tried).Value > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_wait_without_end_is_ended_by_the_token()
    {
        AdvisoryKey key = "cancelled";
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open();
        using var cancel = new CancellationTokenSource();
        var waiting = db.WithAdvisoryLockAsync(key, Fail, new() { Timeout = Timeout.InfiniteTimeSpan }, cancel.Token);
        await database.UntilWaitingForLocksAsync(1);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(1, await database.LocksAsync(key));
        Assert.Null(db.Database.CurrentTransaction);
    }

    [Fact]
    public async Task Shared_holders_work_side_by_side_and_keep_an_exclusive_one_out()
    {
        AdvisoryKey key = "shared";
        var shared = new AdvisoryLockOptions { Mode = AdvisoryLockMode.Shared };
        await using var db = database.Open();
        await using var other = database.Open();

        await db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                Assert.Equal(AdvisoryLockStatus.Ran, await other.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, shared, token));
                Assert.Equal(AdvisoryLockStatus.Busy, await other.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: token));
            },
            shared,
            Token);
    }

    [Fact]
    public async Task Numbers_and_pairs_are_locked_as_PostgreSQL_does()
    {
        await using var db = database.Open();
        foreach (var key in (AdvisoryKey[])[0, long.MinValue, -1, (1, 2), (-1, -2), (int.MinValue, int.MaxValue)])
        {
            await using (await database.HoldAsync(key))
            {
                Assert.Equal(AdvisoryLockStatus.Busy, await db.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: Token));
                var other = new AdvisoryKey(key.Number, !key.IsPair, null, "");
                Assert.Equal(AdvisoryLockStatus.Ran, await db.TryWithAdvisoryLockAsync(other, (_, _) => Task.CompletedTask, cancellationToken: Token));
            }
        }
    }

    [Fact]
    public async Task The_lock_timeout_of_the_work_is_the_one_from_before()
    {
        AdvisoryKey key = "lock timeout";
        await using var db = database.Open(database.ConnectionString + ";Options=-c lock_timeout=7s");
        var holder = await database.HoldAsync(key);
        var waiting = db.WithAdvisoryLockAsync(key, (_, token) => db.Database.SqlQuery<string>($"select current_setting('lock_timeout') as \"Value\"").SingleAsync(token), cancellationToken: Token);
        await database.UntilWaitingForLocksAsync(1);
        await holder.DisposeAsync();
        Assert.Equal("7s", await waiting);
    }

    [Fact]
    public async Task A_standby_is_told_by_the_server_and_nothing_is_locked()
    {
        // No standby here: what the server answers for one is put in its place.
        await database.ExecuteAsync("create schema fake; create function fake.pg_is_in_recovery() returns boolean language sql as 'select true'");
        await using var db = database.Open(database.ConnectionString + ";Search Path=fake,pg_catalog,public");
        AdvisoryKey key = "standby";

        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.WithAdvisoryLockAsync(key, Fail, cancellationToken: Token));
        var session = await Assert.ThrowsAsync<SessionLockUnsafeException>(
            () => db.WithAdvisoryLockAsync(key, Fail, new() { Scope = AdvisoryLockScope.Session }, Token));

        Assert.Equal(AdvisoryLockRefusal.Standby, error.Reason);
        Assert.Equal(SessionLockRefusal.Standby, session.Reason);
        Assert.Equal(0, await database.LocksAsync(key));
    }

    private static Task Fail(AdvisoryLock held, CancellationToken token) => throw new InvalidOperationException("The work ran.");
}
