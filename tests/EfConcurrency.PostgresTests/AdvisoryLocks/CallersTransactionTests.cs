using System.Data;
using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>A transaction is open already: the lock joins it, and whatever happens to the wait leaves it usable.</summary>
public sealed class CallersTransactionTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static readonly AdvisoryLockOptions Short = new() { Timeout = TimeSpan.FromMilliseconds(100) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_lock_lasts_until_the_transaction_ends()
    {
        AdvisoryKey key = "joined";
        await using var db = database.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        await db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: Token);

        Assert.Equal(1, await database.LocksAsync(key));
        await transaction.CommitAsync(Token);
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task BEGIN_savepoint_and_lock_take_one_round_trip()
    {
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        await db.Tallies.CountAsync(Token);

        var trips = proxy.CountRoundTrips();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.WithAdvisoryLockAsync("one trip", (_, _) => Task.CompletedTask, cancellationToken: Token);
        Assert.Equal(1, trips.Count);
    }

    [Theory]
    [InlineData("timeout")]
    [InlineData("statement timeout")]
    [InlineData("cancelled")]
    [InlineData("busy")]
    [InlineData("busy several")]
    public async Task After_a_wait_in_vain_the_transaction_goes_on(string how)
    {
        AdvisoryKey key = how, free = how + " free";
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open(database.ConnectionString + ";Options=-c lock_timeout=7s");
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var tally = new Tally { Name = how };
        db.Add(tally);
        await db.SaveChangesAsync(Token);

        await WaitInVainAsync(db, how, key, free);

        Assert.Equal("7s", await db.Database.SqlQuery<string>($"select current_setting('lock_timeout') as \"Value\"").SingleAsync(Token));
        Assert.Equal(0, await database.LocksAsync(free));
        Assert.Equal(1, await database.LocksAsync(key));
        tally.Value = 1;
        await db.SaveChangesAsync(Token);
        await transaction.CommitAsync(Token);
        Assert.Equal(1, await database.ValueAsync(tally.Id));
    }

    [Fact]
    public async Task After_a_deadlock_the_transaction_is_as_before_the_call()
    {
        AdvisoryKey first = "joined deadlock 1", second = "joined deadlock 2";
        await using var db = database.Open(database.ConnectionString + ";Options=-c deadlock_timeout=100ms");
        await using var other = await database.HoldAsync(second);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.WithAdvisoryLockAsync(first, (_, _) => Task.CompletedTask, cancellationToken: Token);
        var crossing = new Npgsql.NpgsqlCommand($"set deadlock_timeout = '1min'; select pg_advisory_lock({first.Number}), pg_advisory_unlock_all()", other).ExecuteScalarAsync(Token);
        await database.UntilWaitingForLocksAsync(1);

        await Assert.ThrowsAsync<AdvisoryLockDeadlockException>(
            () => db.WithAdvisoryLockAsync(second, (_, _) => Task.CompletedTask, new() { Timeout = TimeSpan.FromMinutes(1) }, Token));

        Assert.Equal(0, await db.Tallies.CountAsync(t => t.Name == "none", Token));
        await transaction.RollbackAsync(Token);
        await crossing;
        Assert.Equal(0, await database.LocksAsync(first));
        Assert.Equal(0, await database.LocksAsync(second));
    }

    [Fact]
    public async Task A_lock_survives_a_save_that_fails_and_goes_back_to_its_savepoint()
    {
        AdvisoryKey key = "savepoint";
        await using var db = database.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                db.AddRange(new Tally { Name = "same" }, new Tally { Name = "same" });
                await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(token));
                db.ChangeTracker.Clear();
                db.Add(new Tally { Name = "other" });
                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token);

        Assert.Equal(1, await database.LocksAsync(key));
        await transaction.CommitAsync(Token);
        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from \"Tallies\" where \"Name\" = 'other'"));
    }

    [Theory]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task A_transaction_with_one_snapshot_is_refused(IsolationLevel level)
    {
        AdvisoryKey key = $"snapshot {level}";
        await using var db = database.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(level, Token);

        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: Token));

        Assert.Equal(AdvisoryLockRefusal.SnapshotTooOld, error.Reason);
        Assert.Equal(0, await database.LocksAsync(key));
        await transaction.CommitAsync(Token);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_snapshot_that_only_the_server_knows_of_is_refused_and_the_transaction_goes_on(int keys)
    {
        var set = AdvisoryKeySet.Of([.. Enumerable.Range(0, keys).Select(i => (AdvisoryKey)$"hidden snapshot {keys} {i}")]);
        await using var db = database.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Database.ExecuteSqlRawAsync("set transaction isolation level serializable", Token);

        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.TryWithAdvisoryLockAsync(set, (_, _) => Task.CompletedTask, cancellationToken: Token));

        Assert.Equal(AdvisoryLockRefusal.SnapshotTooOld, error.Reason);
        Assert.Equal(0, await database.LocksAsync(set[0]));
        await db.Tallies.CountAsync(Token);
    }

    [Fact]
    public async Task A_unit_of_RetryOnConflict_that_deadlocks_runs_again()
    {
        AdvisoryKey first = "unit deadlock 1", second = "unit deadlock 2";
        await using var db = database.Open(database.ConnectionString + ";Options=-c deadlock_timeout=100ms");
        await using var other = await database.HoldAsync(second);
        var attempts = 0;
        Task<object?>? crossing = null;

        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                await context.WithAdvisoryLockAsync(first, (_, _) => Task.CompletedTask, cancellationToken: token);
                if (++attempts == 1)
                {
                    crossing = new Npgsql.NpgsqlCommand($"set deadlock_timeout = '1min'; select pg_advisory_lock({first.Number}), pg_advisory_unlock_all()", other).ExecuteScalarAsync(token);
                    await database.UntilWaitingForLocksAsync(1);
                }

                await context.WithAdvisoryLockAsync(second, (_, _) => Task.CompletedTask, new() { Timeout = TimeSpan.FromMinutes(1) }, token);
            },
            cancellationToken: Token);

        await crossing!;
        Assert.Equal(2, attempts);
    }

    private async Task WaitInVainAsync(LockContext db, string how, AdvisoryKey key, AdvisoryKey free)
    {
        switch (how)
        {
            case "timeout":
                await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.WithAdvisoryLockAsync([free, key], (_, _) => Task.CompletedTask, Short, Token));
                break;
            case "statement timeout":
                await db.Database.ExecuteSqlRawAsync("set local statement_timeout = '100ms'", Token);
                await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.WithAdvisoryLockAsync([free, key], (_, _) => Task.CompletedTask, cancellationToken: Token));
                break;
            case "cancelled":
                using (var cancel = new CancellationTokenSource())
                {
                    var waiting = db.WithAdvisoryLockAsync([free, key], (_, _) => Task.CompletedTask, cancellationToken: cancel.Token);
                    await database.UntilWaitingForLocksAsync(1);
                    await cancel.CancelAsync();
                    await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
                }

                break;
            case "busy":
                Assert.Equal(AdvisoryLockStatus.Busy, await db.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: Token));
                break;
            default:
                Assert.Equal(AdvisoryLockStatus.Busy, await db.TryWithAdvisoryLockAsync([free, key], (_, _) => Task.CompletedTask, cancellationToken: Token));
                break;
        }
    }
}
