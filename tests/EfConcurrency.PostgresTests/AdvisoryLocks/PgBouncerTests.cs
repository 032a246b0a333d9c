using EfConcurrency.AdvisoryLocks;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>A real PgBouncer between client and server.</summary>
public sealed class PgBouncerTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private const int Processes = 8;
    private const int Increments = 500;

    private static readonly AdvisoryLockOptions Session = new() { Scope = AdvisoryLockScope.Session };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Behind_transaction_pooling_no_increment_of_eight_processes_under_the_lock_is_lost()
    {
        const string Key = "increments";
        var id = await database.AddTallyAsync();
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, "transaction");

        await Task.WhenAll(Enumerable.Range(0, Processes).Select(_ => IncrementAsync(pooler, Key, id)));

        Assert.Equal(Processes * Increments, await database.ValueAsync(id));
        Assert.Equal(0, await database.LocksAsync(Key));
    }

    [Theory]
    [InlineData("transaction")]
    [InlineData("session")]
    public async Task Session_scope_is_refused_before_anything_is_taken_or_set(string poolMode)
    {
        AdvisoryKey key = $"refused {poolMode}";
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, poolMode, poolSize: 1);
        await using var db = database.Open(pooler.ConnectionString);

        var error = await Assert.ThrowsAsync<SessionLockUnsafeException>(() => db.WithAdvisoryLockAsync(key, (_, _) => throw new InvalidOperationException("ran"), Session, Token));

        Assert.Equal(SessionLockRefusal.Pooler, error.Reason);
        Assert.Equal(0, await database.LocksAsync(key));
        if (poolMode == "transaction")
        {
            Assert.Equal("0", await db.Database.SqlQuery<string>($"select current_setting('client_connection_check_interval') as \"Value\"").SingleAsync(Token));
        }
    }

    [Fact]
    public async Task Behind_session_pooling_session_scope_works_where_it_is_allowed()
    {
        AdvisoryKey key = "allowed";
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, "session");
        await using var db = database.Open(pooler.ConnectionString);
        var options = new AdvisoryLockOptions { Scope = AdvisoryLockScope.Session, AllowSessionPooling = true, KeepAlive = TimeSpan.FromMilliseconds(50) };

        await db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                Assert.Equal(1, await database.LocksAsync(key));
                Assert.Equal(AdvisoryLockStatus.Busy, await db.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: token));
            },
            options,
            Token);

        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task Where_transaction_pooling_was_allowed_by_mistake_the_change_of_server_process_is_noticed()
    {
        AdvisoryKey key = "by mistake";
        await using var pooler = await PgBouncer.StartAsync(database.ConnectionString, "transaction");
        await using var db = database.Open(pooler.ConnectionString);
        await using var other = database.Open(pooler.ConnectionString);
        var options = new AdvisoryLockOptions { Scope = AdvisoryLockScope.Session, AllowSessionPooling = true, KeepAlive = TimeSpan.FromMilliseconds(50) };

        await Assert.ThrowsAsync<AdvisoryLockLostException>(() => db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                // Takes the server connection that holds the lock; the next ping comes out on another.
                await using var transaction = await other.Database.BeginTransactionAsync(Token);
                await other.Tallies.CountAsync(Token);
                await Task.Delay(TimeSpan.FromMinutes(1), token);
            },
            options,
            Token));
    }

    private static async Task IncrementAsync(PgBouncer pooler, string key, int tally)
    {
        await using var host = HostProcess.Start("LockHost", pooler.ConnectionString, null, key, $"{tally}", $"{Increments}");
        await host.WaitAsync(seconds: 180);
        Assert.True(host.Process.ExitCode == 0, string.Join(Environment.NewLine, host.Lines));
    }
}
