using System.Transactions;
using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>What can go wrong in the transaction that the call opens.</summary>
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
                await db.IncrementAsync(id, token);
                throw new KeyNotFoundException();
            },
            cancellationToken: Token));

        Assert.Equal(0, await database.ValueAsync(id));
        Assert.Equal(0, await database.LocksAsync(key));
        Assert.True(db.Database.AutoSavepointsEnabled);
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
                await db.IncrementAsync(id, token);
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
            new() { Timeout = TimeSpan.FromMinutes(1) },
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
}
