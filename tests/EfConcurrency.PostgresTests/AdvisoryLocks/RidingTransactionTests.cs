using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>Locks that ride with a write in a caller's transaction, and deadlocks.</summary>
public sealed class RidingTransactionTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static readonly AdvisoryLockOptions Patient = new() { Timeout = TimeSpan.FromMinutes(1) };

    private static readonly AdvisoryLockOptions Short = new() { Timeout = TimeSpan.FromMilliseconds(100) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public enum Write
    {
        Save,
        Update,
        Delete,
    }

    [Theory]
    [InlineData(Write.Save)]
    [InlineData(Write.Update)]
    [InlineData(Write.Delete)]
    public async Task The_lock_lasts_until_the_transaction_ends_and_the_limit_of_the_wait_does_not(Write write)
    {
        AdvisoryKey key = $"until the end {write}";
        var id = await database.AddTallyAsync();
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open(database.ConnectionString + ";Options=-c lock_timeout=7s");
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        var writing = WriteAsync(db, write, key, id, Patient, Token);
        await database.UntilWaitingForLocksAsync(1);
        await holder.CloseAsync();

        Assert.Equal(1, await writing);
        Assert.Equal("7s", await db.Database.SqlQuery<string>($"select current_setting('lock_timeout') as \"Value\"").SingleAsync(Token));
        Assert.Equal(1, await database.LocksAsync(key));
        await transaction.CommitAsync(Token);
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Theory]
    [InlineData(Write.Save, false)]
    [InlineData(Write.Update, false)]
    [InlineData(Write.Delete, false)]
    [InlineData(Write.Update, true)]
    [InlineData(Write.Delete, true)]
    public async Task After_a_wait_in_vain_the_transaction_goes_on(Write write, bool cancels)
    {
        AdvisoryKey key = $"goes on {write} {cancels}", free = key.Name + " free";
        var id = await database.AddTallyAsync();
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open(database.ConnectionString + ";Options=-c lock_timeout=7s");
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var tally = new Tally { Name = key.Name };
        db.Add(tally);
        await db.SaveChangesAsync(Token);

        if (cancels)
        {
            using var cancel = new CancellationTokenSource();
            var writing = WriteAsync(db, write, [free, key], id, Patient, cancel.Token);
            await database.UntilWaitingForLocksAsync(1);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        }
        else
        {
            await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => WriteAsync(db, write, [free, key], id, Short, Token));
        }

        db.ChangeTracker.Clear();
        Assert.Equal("7s", await db.Database.SqlQuery<string>($"select current_setting('lock_timeout') as \"Value\"").SingleAsync(Token));
        Assert.Equal(0, await database.LocksAsync(free));
        await transaction.CommitAsync(Token);
        Assert.Equal(1, await database.ScalarAsync<long>($"select count(*) from \"Tallies\" where \"Name\" = '{key.Name}'"));
        Assert.Equal(0, await database.ValueAsync(id));
    }

    [Theory]
    [InlineData(Write.Save, false)]
    [InlineData(Write.Save, true)]
    [InlineData(Write.Update, false)]
    [InlineData(Write.Update, true)]
    public async Task A_deadlock_is_told_or_repeated_by_the_strategy(Write write, bool retries)
    {
        // Locked in this order; the other one holds the second and waits for the first.
        var keys = AdvisoryKeySet.Of($"riding deadlock 1 {write} {retries}", $"riding deadlock 2 {write} {retries}");
        var id = await database.AddTallyAsync();
        await using var db = database.Open(database.ConnectionString + ";Options=-c deadlock_timeout=3s", retries);
        await using var other = await database.HoldAsync(keys[1]);

        var writing = WriteAsync(db, write, keys, id, Patient, Token);
        await database.UntilWaitingForLocksAsync(1);
        await using var cross = new NpgsqlCommand($"set deadlock_timeout = '1min'; select pg_advisory_lock({keys[0].Number}), pg_advisory_unlock_all()", other);
        var crossing = cross.ExecuteScalarAsync(Token);

        if (retries)
        {
            Assert.Equal(1, await writing);
        }
        else
        {
            var error = await Assert.ThrowsAsync<AdvisoryLockDeadlockException>(() => writing);
            Assert.Equal(keys, error.Keys);
        }

        await crossing;
        await database.UntilFreeAsync(keys[0]);
        await database.UntilFreeAsync(keys[1]);
    }

    [Fact]
    public async Task Inside_WithAdvisoryLock_a_save_can_take_one_more()
    {
        AdvisoryKey outer = "outer", inner = "inner";
        var id = await database.AddTallyAsync();
        await using var db = database.Open();
        await db.WithAdvisoryLockAsync(
            outer,
            async (_, token) =>
            {
                await WriteAsync(db, Write.Save, inner, id, Patient, token);
                Assert.Equal(1, await database.LocksAsync(inner));
            },
            cancellationToken: Token);
        Assert.Equal(1, await database.ValueAsync(id));
        Assert.Equal(0, await database.LocksAsync(inner));
    }

    private static async Task<int> WriteAsync(LockContext db, Write write, AdvisoryKeySet keys, int id, AdvisoryLockOptions options, CancellationToken token)
    {
        switch (write)
        {
            case Write.Update:
                return await db.ExecuteUpdateUnderAdvisoryLockAsync(keys, db.Tallies.Where(t => t.Id == id), s => s.SetProperty(t => t.Value, t => t.Value + 1), options, token);
            case Write.Delete:
                return await db.ExecuteDeleteUnderAdvisoryLockAsync(keys, db.Tallies.Where(t => t.Id == id), options, token);
            default:
                (await db.Tallies.SingleAsync(t => t.Id == id, token)).Value++;
                return await db.SaveChangesUnderAdvisoryLockAsync(keys, options, token);
        }
    }
}
