using EfConcurrency.AdvisoryLocks;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>As an operator sees it: with pg_monitor and pg_signal_backend, and nothing else.</summary>
public sealed class InspectionTests(OperatorDatabase database) : IClassFixture<OperatorDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_holder_is_shown_with_who_waits_for_it()
    {
        AdvisoryKey key = AdvisoryKey.Of("report", "shop");
        await using var db = database.Open(database.ConnectionString + ";Application Name=worker");
        await using var other = database.Open(database.ConnectionString + ";Application Name=second");
        await using var operations = database.Open(database.As("monitor"));
        var before = await database.ScalarAsync<DateTime>("select clock_timestamp()");
        Task? waiting = null;

        await db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                waiting = other.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, new() { Mode = AdvisoryLockMode.Shared, Timeout = TimeSpan.FromMinutes(1) }, token);
                await database.UntilWaitingForLocksAsync(1);

                var holder = Assert.Single(await operations.GetLockHoldersAsync(token), h => h.Key == key);
                Assert.Equal("shop/report", holder.Name);
                Assert.Equal(AdvisoryLockMode.Exclusive, holder.Mode);
                Assert.Equal("worker", holder.Session.ApplicationName);
                Assert.Equal("idle in transaction", holder.Session.State);
                Assert.True(holder.Session.ProcessId > 0);
                Assert.True(holder.Since >= new DateTimeOffset(before));
                var waiter = Assert.Single(holder.Waiters);
                Assert.Equal(AdvisoryLockMode.Shared, waiter.Mode);
                Assert.Equal("second", waiter.Session.ApplicationName);
                Assert.True(waiter.Since >= holder.Since);
            },
            cancellationToken: Token);

        await waiting!;
        Assert.DoesNotContain(await operations.GetLockHoldersAsync(Token), h => h.Key == key);
    }

    [Fact]
    public async Task The_blocking_tree_follows_all_kinds_of_locks()
    {
        AdvisoryKey key = "tree";
        var id = await database.AddTallyAsync();
        await using var root = await database.HoldAsync(key);
        await using var db = database.Open();
        await using var operations = database.Open(database.As("monitor"));

        // One waits for the lock with a row in its hands, another waits for the row.
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Tallies.Where(t => t.Id == id).ExecuteUpdateAsync(s => s.SetProperty(t => t.Value, 1), Token);
        var middle = db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, new() { Timeout = TimeSpan.FromMinutes(1) }, Token);
        await database.UntilWaitingForLocksAsync(1);
        await using var other = database.Open();
        var leaf = other.Tallies.Where(t => t.Id == id).ExecuteUpdateAsync(s => s.SetProperty(t => t.Value, 2), Token);
        await database.UntilWaitingForLocksAsync(2);

        var top = Assert.Single(await operations.GetBlockingTreeAsync(Token), n => n.Session.ProcessId == root.ProcessID);
        Assert.Null(top.WaitsFor);
        var second = Assert.Single(top.Blocks);
        Assert.Equal($"advisory {key.Number}", second.WaitsFor);
        Assert.Equal("tree", second.Name);
        Assert.NotNull(second.Since);
        var third = Assert.Single(second.Blocks);
        Assert.Equal("transactionid", third.WaitsFor);
        Assert.Empty(third.Blocks);

        await root.CloseAsync();
        await middle;
        await transaction.CommitAsync(Token);
        await leaf;
        Assert.Empty(await operations.GetBlockingTreeAsync(Token));
    }

    [Fact]
    public async Task A_holder_is_ended_and_the_lock_is_free()
    {
        AdvisoryKey key = (9, -9);
        await using var holder = await LockDatabase.HoldAsync(database.As("app"), key);
        await using var operations = database.Open(database.As("monitor"));

        var seen = Assert.Single(await operations.GetLockHoldersAsync(Token), h => h.Key == key);
        Assert.True(await operations.TerminateHolderAsync(seen, Token));
        Assert.Equal(0, await database.LocksAsync(key));
        Assert.False(await operations.TerminateHolderAsync(seen, Token));
    }

    [Fact]
    public async Task A_session_that_no_longer_holds_the_lock_is_left_alone()
    {
        AdvisoryKey key = 909;
        await using var holder = await LockDatabase.HoldAsync(database.As("app"), key);
        await using var operations = database.Open(database.As("monitor"));
        var seen = Assert.Single(await operations.GetLockHoldersAsync(Token), h => h.Key == key);

        await new NpgsqlCommand("select pg_advisory_unlock_all(), pg_advisory_lock(910)", holder).ExecuteNonQueryAsync(Token);
        Assert.False(await operations.TerminateHolderAsync(seen, Token));

        // The same lock, but another session that was given the same process id.
        await new NpgsqlCommand("select pg_advisory_lock(909)", holder).ExecuteNonQueryAsync(Token);
        var session = new LockSession(seen.Session.ProcessId, seen.Session.StartedAt - TimeSpan.FromMicroseconds(1), null, null, null, null, null, null);
        Assert.False(await operations.TerminateHolderAsync(new(seen.Key, null, seen.Mode, session, []), Token));
        Assert.Equal(1, await new NpgsqlCommand("select 1", holder).ExecuteScalarAsync(Token));
    }

    [Fact]
    public async Task A_role_without_the_rights_is_told_which()
    {
        AdvisoryKey key = 911;
        await using var holder = await LockDatabase.HoldAsync(database.As("app"), key);
        await using var superuser = await database.HoldAsync(912);
        await using var none = database.Open(database.As("nobody"));
        await using var viewer = database.Open(database.As("viewer"));
        await using var operations = database.Open(database.As("monitor"));

        foreach (var question in (Func<Task>[])[() => none.GetLockHoldersAsync(Token), () => none.GetBlockingTreeAsync(Token)])
        {
            var inspect = await Assert.ThrowsAsync<AdvisoryLockPermissionException>(question);
            Assert.Equal("pg_monitor", inspect.MissingRole);
            Assert.Equal(database.Role("nobody"), inspect.Role);
        }

        var seen = Assert.Single(await viewer.GetLockHoldersAsync(Token), h => h.Key == key);
        var terminate = await Assert.ThrowsAsync<AdvisoryLockPermissionException>(() => viewer.TerminateHolderAsync(seen, Token));
        Assert.Equal("pg_signal_backend", terminate.MissingRole);

        var untouchable = Assert.Single(await operations.GetLockHoldersAsync(Token), h => h.Key == 912L);
        await Assert.ThrowsAsync<AdvisoryLockPermissionException>(() => operations.TerminateHolderAsync(untouchable, Token));
    }
}

/// <summary>Roles are the server's, so each class has its own.</summary>
public sealed class OperatorDatabase(PostgresServer server) : LockDatabase(server)
{
    private readonly string _suffix = Guid.NewGuid().ToString("n")[..8];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        foreach (var role in (string[])["app", "nobody", "viewer", "monitor"])
        {
            await ExecuteAsync($"create role {Role(role)} login");
        }

        await ExecuteAsync($"grant pg_monitor to {Role("viewer")}; grant pg_monitor, pg_signal_backend to {Role("monitor")}");
    }

    public string Role(string name) => $"{name}_{_suffix}";

    public string As(string role) => new NpgsqlConnectionStringBuilder(ConnectionString) { Username = Role(role) }.ConnectionString;
}
