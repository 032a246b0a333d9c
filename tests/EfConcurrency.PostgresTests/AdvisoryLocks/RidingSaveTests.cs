using System.Data;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.PostgresTests.WriteEnvelope;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>A lock that rides with a save, whoever judges it.</summary>
public sealed class RidingSaveTests(NoteDatabase notes) : IClassFixture<NoteDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, false, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(2, false, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(8, false, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(20, false, ServerJudgedSaves.WhenAvailable, 2)]
    [InlineData(1, true, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(1, false, ServerJudgedSaves.Never, 1)]
    [InlineData(2, false, ServerJudgedSaves.Never, 2)]
    [InlineData(1, true, ServerJudgedSaves.Never, 2)]
    public async Task The_lock_adds_no_round_trip(int rows, bool withMessage, ServerJudgedSaves judge, int expected)
    {
        AdvisoryKey key = $"trips {rows} {withMessage} {judge}";
        await using var proxy = notes.StartProxy();
        await using var db = notes.Open(judge, proxy.ConnectionString);
        var saved = await NoteDatabase.AddNotesAsync(db, rows);
        await NoteDatabase.AddNotesAsync(db, 2);
        saved.ForEach(n => n.Number = 7);
        db.GetService<TestContribution>().Message = withMessage ? key.Name : null;

        var trips = proxy.CountRoundTrips();
        Assert.Equal(rows, await db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token));

        Assert.Equal(expected, trips.Count);
        Assert.Equal(rows, await db.Notes.CountAsync(n => saved.Select(s => s.Id).Contains(n.Id) && n.Number == 7, Token));
        Assert.Equal(withMessage ? 2 : 0, await notes.MessagesAsync(key.Name!));
        Assert.Equal(0, await LocksAsync(key));
    }

    [Theory]
    [InlineData(ServerJudgedSaves.WhenAvailable)]
    [InlineData(ServerJudgedSaves.Never)]
    public async Task What_the_save_checks_is_checked_after_the_wait(ServerJudgedSaves judge)
    {
        AdvisoryKey key = $"checked after {judge}";
        await using var db = notes.Open(judge);
        var added = await NoteDatabase.AddNotesAsync(db, 2);
        added[0].Number = 7;
        db.VerifyVersion(added[1]);
        await using var holder = await LockDatabase.HoldAsync(notes.ConnectionString, key);

        var saving = db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token);
        await notes.UntilWaitingForLocksAsync(1);
        await notes.TouchAsync(added[1]);
        await holder.CloseAsync();

        await Assert.ThrowsAsync<VersionConflictException>(() => saving);
        Assert.Equal(0, await notes.ScalarAsync<int>($"select \"Number\" from \"Notes\" where \"Id\" = {added[0].Id}"));
        Assert.Equal(0, await LocksAsync(key));
    }

    [Theory]
    [InlineData(AdvisoryLockMode.Shared, 1, true)]
    [InlineData(AdvisoryLockMode.Shared, 2, true)]
    [InlineData(AdvisoryLockMode.Exclusive, 1, false)]
    [InlineData(AdvisoryLockMode.Exclusive, 2, false)]
    public async Task Shared_locks_go_together_and_several_keys_are_all_waited_for(AdvisoryLockMode mode, int keys, bool goes)
    {
        AdvisoryKey[] all = [$"several {mode} {keys}", (keys, (int)mode)];
        await using var holder = new NpgsqlConnection(notes.ConnectionString + ";Pooling=false");
        await holder.OpenAsync(Token);
        await using var hold = new NpgsqlCommand($"select {(keys == 1 ? $"pg_advisory_lock_shared({all[0].Number})" : $"pg_advisory_lock_shared({keys}, {(int)mode})")}", holder);
        await hold.ExecuteNonQueryAsync(Token);
        await using var db = notes.Open();
        db.Add(new Note());

        var saving = db.SaveChangesUnderAdvisoryLockAsync([.. all.Take(keys)], new() { Mode = mode }, Token);
        if (!goes)
        {
            await notes.UntilWaitingForLocksAsync(1);
            Assert.False(saving.IsCompleted);
            await holder.CloseAsync();
        }

        Assert.Equal(1, await saving);
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 100)]
    [InlineData(1, 0)]
    public async Task A_wait_in_vain_writes_nothing_and_is_not_repeated_by_a_strategy(int rows, int milliseconds)
    {
        AdvisoryKey key = $"in vain {rows} {milliseconds}";
        await using var proxy = notes.StartProxy();
        await using var db = notes.Open(connectionString: proxy.ConnectionString, configure: o => o.UseNpgsql(proxy.ConnectionString, n => n.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(1), null)));
        var added = await NoteDatabase.AddNotesAsync(db, rows);
        added.ForEach(n => n.Number = 7);
        await using (await LockDatabase.HoldAsync(notes.ConnectionString, key))
        {
            var trips = proxy.CountRoundTrips();
            var error = await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(
                () => db.SaveChangesUnderAdvisoryLockAsync(key, new() { Timeout = TimeSpan.FromMilliseconds(milliseconds) }, Token));

            Assert.Equal(1, trips.Count);
            Assert.Equal(key, Assert.Single(error.Keys));
            Assert.Equal(1, await LocksAsync(key));
        }

        Assert.Equal(0, await notes.ScalarAsync<long>($"select count(*) from \"Notes\" where \"Id\" = {added[0].Id} and \"Number\" = 7"));
        Assert.Equal(rows, await db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_row_that_is_locked_too_long_is_not_taken_for_the_lock(int rows)
    {
        AdvisoryKey key = $"row {rows}";
        await using var db = notes.Open(connectionString: notes.ConnectionString + ";Options=-c lock_timeout=100ms");
        var added = await NoteDatabase.AddNotesAsync(db, rows);
        added.ForEach(n => n.Number = 7);
        await using var holder = new NpgsqlConnection(notes.ConnectionString);
        await holder.OpenAsync(Token);
        await using var transaction = await holder.BeginTransactionAsync(Token);
        await using var hold = new NpgsqlCommand($"select 1 from \"Notes\" where \"Id\" = {added[^1].Id} for update", holder);
        await hold.ExecuteNonQueryAsync(Token);

        var error = await Assert.ThrowsAnyAsync<Exception>(() => db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token));

        Assert.IsType<DbUpdateException>(error.InnerException);
        Assert.Equal("55P03", Assert.IsType<PostgresException>(error.GetBaseException()).SqlState);
        Assert.Equal(0, await LocksAsync(key));
    }

    [Theory]
    [InlineData(ServerJudgedSaves.WhenAvailable, false)]
    [InlineData(ServerJudgedSaves.WhenAvailable, true)]
    [InlineData(ServerJudgedSaves.Never, true)]
    public async Task A_refused_save_leaves_nothing(ServerJudgedSaves judge, bool withMessage)
    {
        AdvisoryKey key = $"refused {judge} {withMessage}";
        await using var db = notes.Open(judge);
        var added = await NoteDatabase.AddNotesAsync(db, 2);
        added.ForEach(n => n.Number = 7);
        db.GetService<TestContribution>().Message = withMessage ? key.Name : null;
        await notes.TouchAsync(added[1]);

        var error = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token));

        Assert.Single(error.Conflicts);
        Assert.Equal(0, await notes.ScalarAsync<int>($"select \"Number\" from \"Notes\" where \"Id\" = {added[0].Id}"));
        Assert.Equal(0, await notes.MessagesAsync(key.Name!));
        Assert.Equal(0, await LocksAsync(key));
    }

    [Fact]
    public async Task A_cancelled_wait_leaves_no_lock_and_no_waiter()
    {
        AdvisoryKey key = "cancelled";
        await using var db = notes.Open();
        db.Add(new Note { Number = 4711 });
        await using (await LockDatabase.HoldAsync(notes.ConnectionString, key))
        {
            using var cancel = new CancellationTokenSource();
            var saving = db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: cancel.Token);
            await notes.UntilWaitingForLocksAsync(1);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => saving);
            Assert.Equal(1, await LocksAsync(key));
        }

        Assert.Equal(0, await notes.ScalarAsync<long>("select count(*) from \"Notes\" where \"Number\" = 4711"));
        Assert.Equal(1, await db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token));
        Assert.Equal(0, await LocksAsync(key));
    }

    [Theory]
    [InlineData(IsolationLevel.RepeatableRead, true)]
    [InlineData(IsolationLevel.Serializable, true)]
    [InlineData(IsolationLevel.Serializable, false)]
    public async Task A_snapshot_older_than_the_wait_is_refused(IsolationLevel level, bool inTransaction)
    {
        AdvisoryKey key = $"snapshot {level} {inTransaction}";
        await using var db = notes.Open(connectionString: notes.ConnectionString + (inTransaction ? "" : ";Options=-c default_transaction_isolation=serializable"));
        var number = 100 + (int)level + (inTransaction ? 1 : 0);
        await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(level, Token) : null;
        db.Add(new Note { Number = number });

        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token));

        Assert.Equal(AdvisoryLockRefusal.SnapshotTooOld, error.Reason);
        Assert.Equal(0, await db.Notes.CountAsync(n => n.Number == number, Token));
        Assert.Equal(0, await LocksAsync(key));
    }

    [Fact]
    public async Task A_session_lock_and_a_second_write_at_the_same_time_are_refused()
    {
        AdvisoryKey key = "refused calls";
        await using var db = notes.Open();
        db.Add(new Note());
        await Assert.ThrowsAsync<ArgumentException>(() => db.SaveChangesUnderAdvisoryLockAsync(key, new() { Scope = AdvisoryLockScope.Session }, Token));
        await using var holder = await LockDatabase.HoldAsync(notes.ConnectionString, key);
        var saving = db.SaveChangesUnderAdvisoryLockAsync(key, cancellationToken: Token);
        await notes.UntilWaitingForLocksAsync(1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesUnderAdvisoryLockAsync("other", cancellationToken: Token));
        await holder.CloseAsync();
        Assert.Equal(1, await saving);
    }

    private Task<long> LocksAsync(AdvisoryKey key) => LockDatabase.LocksAsync(notes, key);
}
