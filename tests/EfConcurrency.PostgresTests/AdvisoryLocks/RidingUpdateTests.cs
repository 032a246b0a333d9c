using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>A lock that rides with ExecuteUpdate or ExecuteDelete.</summary>
public sealed class RidingUpdateTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Update_and_delete_take_one_round_trip_with_their_lock_and_count_their_own_rows()
    {
        AdvisoryKey key = "rows";
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);
        int[] ids = [await database.AddTallyAsync(), await database.AddTallyAsync()];
        await db.Tallies.CountAsync(Token);

        var trips = proxy.CountRoundTrips();
        Assert.Equal(2, await db.ExecuteUpdateUnderAdvisoryLockAsync(key, db.Tallies.Where(t => ids.Contains(t.Id)), s => s.SetProperty(t => t.Value, 3), cancellationToken: Token));
        Assert.Equal(1, trips.Count);
        Assert.Equal(0, await db.ExecuteUpdateUnderAdvisoryLockAsync([key, (1, 2)], db.Tallies.Where(t => t.Id == -1), s => s.SetProperty(t => t.Value, 3), cancellationToken: Token));
        Assert.Equal(2, trips.Count);
        Assert.Equal(1, await db.ExecuteDeleteUnderAdvisoryLockAsync((1, 2), db.Tallies.Where(t => t.Id == ids[0]), cancellationToken: Token));
        Assert.Equal(3, trips.Count);

        Assert.Equal(3, await database.ValueAsync(ids[1]));
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task What_it_computes_it_computes_after_the_wait()
    {
        AdvisoryKey key = "computed";
        int[] ids = [await database.AddTallyAsync(), await database.AddTallyAsync()];
        await using var db = database.Open();
        await using var holder = await database.HoldAsync(key);

        var writing = db.ExecuteUpdateUnderAdvisoryLockAsync(
            key, db.Tallies.Where(t => t.Id == ids[0]), s => s.SetProperty(t => t.Value, t => db.Tallies.Where(o => o.Id == ids[1]).Sum(o => o.Value) + 1), cancellationToken: Token);
        await database.UntilWaitingForLocksAsync(1);
        await database.ExecuteAsync($"update \"Tallies\" set \"Value\" = 41 where \"Id\" = {ids[1]}");
        await holder.CloseAsync();

        Assert.Equal(1, await writing);
        Assert.Equal(42, await database.ValueAsync(ids[0]));
    }

    [Fact]
    public async Task Sixteen_writers_give_out_each_number_once()
    {
        AdvisoryKey key = "numbers";
        const int writers = 16;
        var ids = new List<int>();
        for (var i = 0; i < writers; i++)
        {
            ids.Add(await database.AddTallyAsync());
        }

        await Task.WhenAll(ids.Select(async id =>
        {
            await using var db = database.Open();
            await db.ExecuteUpdateUnderAdvisoryLockAsync(
                key, db.Tallies.Where(t => t.Id == id), s => s.SetProperty(t => t.Value, t => db.Tallies.Where(o => ids.Contains(o.Id)).Max(o => o.Value) + 1), cancellationToken: Token);
        }));

        await using var read = database.Open();
        Assert.Equal(Enumerable.Range(1, writers), await read.Tallies.Where(t => ids.Contains(t.Id)).Select(t => t.Value).OrderBy(v => v).ToListAsync(Token));
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task A_wait_in_vain_writes_nothing_and_is_not_repeated_by_a_strategy()
    {
        AdvisoryKey key = "update in vain";
        var id = await database.AddTallyAsync();
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString, retries: true);
        await db.Tallies.CountAsync(Token);
        await using (await database.HoldAsync(key))
        {
            var trips = proxy.CountRoundTrips();
            await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.ExecuteUpdateUnderAdvisoryLockAsync(
                key, db.Tallies.Where(t => t.Id == id), s => s.SetProperty(t => t.Value, 3), new() { Timeout = TimeSpan.FromMilliseconds(100) }, Token));
            Assert.Equal(1, trips.Count);
            Assert.Equal(1, await database.LocksAsync(key));
        }

        Assert.Equal(0, await database.ValueAsync(id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_is_locked_too_long_is_not_taken_for_the_lock(bool inTransaction)
    {
        AdvisoryKey key = $"row {inTransaction}";
        var id = await database.AddTallyAsync();
        await using var holder = new NpgsqlConnection(database.ConnectionString);
        await holder.OpenAsync(Token);
        await using var held = await holder.BeginTransactionAsync(Token);
        await using var hold = new NpgsqlCommand($"select 1 from \"Tallies\" where \"Id\" = {id} for update", holder);
        await hold.ExecuteNonQueryAsync(Token);
        await using var db = database.Open(database.ConnectionString + ";Options=-c lock_timeout=100ms");
        await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null;

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.ExecuteUpdateUnderAdvisoryLockAsync(key, db.Tallies.Where(t => t.Id == id), s => s.SetProperty(t => t.Value, 3), cancellationToken: Token));

        Assert.Equal("55P03", Assert.IsType<PostgresException>(error.InnerException).SqlState);
    }

    [Fact]
    public async Task A_serializable_default_is_refused()
    {
        AdvisoryKey key = "serializable";
        var id = await database.AddTallyAsync();
        await using var db = database.Open(database.ConnectionString + ";Options=-c default_transaction_isolation=serializable");
        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(
            () => db.ExecuteDeleteUnderAdvisoryLockAsync(key, db.Tallies.Where(t => t.Id == id), cancellationToken: Token));
        Assert.Equal(AdvisoryLockRefusal.SnapshotTooOld, error.Reason);
        Assert.Equal(0, await database.ValueAsync(id));
    }

    [Fact]
    public async Task A_query_of_another_context_is_refused()
    {
        await using var db = database.Open();
        await using var other = database.Open();
        await Assert.ThrowsAsync<ArgumentException>(() => db.ExecuteDeleteUnderAdvisoryLockAsync("other", other.Tallies.Where(t => t.Id == -1), cancellationToken: Token));
    }

    [Fact]
    public async Task The_next_write_has_no_lock()
    {
        AdvisoryKey key = "next";
        var id = await database.AddTallyAsync();
        await using var db = database.Open();
        await db.ExecuteUpdateUnderAdvisoryLockAsync(key, db.Tallies.Where(t => t.Id == id), s => s.SetProperty(t => t.Value, 3), cancellationToken: Token);
        await using var holder = await database.HoldAsync(key);
        Assert.Equal(1, await db.Tallies.Where(t => t.Id == id).ExecuteUpdateAsync(s => s.SetProperty(t => t.Value, 4), Token));
        db.Add(new Tally());
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }
}
