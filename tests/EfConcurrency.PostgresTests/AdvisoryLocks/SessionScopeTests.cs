using EfConcurrency.AdvisoryLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

/// <summary>A connection of its own holds the lock.</summary>
public sealed class SessionScopeTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static readonly AdvisoryLockOptions Session = new() { Scope = AdvisoryLockScope.Session, KeepAlive = TimeSpan.FromMilliseconds(200) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_lock_is_held_over_several_transactions_and_released_at_once()
    {
        AdvisoryKey[] keys = ["session", (5, 6)];
        await using var db = database.Open();

        await db.WithAdvisoryLockAsync(
            [.. keys],
            async (held, token) =>
            {
                Assert.True(held.LostToken.CanBeCanceled);
                for (var i = 0; i < 2; i++)
                {
                    await using var transaction = await db.Database.BeginTransactionAsync(token);
                    await db.Tallies.CountAsync(token);
                    await transaction.CommitAsync(token);
                    Assert.Equal(1, await database.LocksAsync(keys[0]));
                    Assert.Equal(1, await database.LocksAsync(keys[1]));
                }
            },
            Session,
            Token);

        // Not a moment later: a pooled connection that was only closed would keep the lock until its next use.
        Assert.Equal(0, await database.LocksAsync(keys[0]));
        Assert.Equal(0, await database.LocksAsync(keys[1]));
    }

    [Fact]
    public async Task Sessions_exclude_each_other_and_transactions()
    {
        AdvisoryKey key = "excluded";
        await using var db = database.Open();
        await using var other = database.Open();
        await db.WithAdvisoryLockAsync(
            key,
            async (_, token) =>
            {
                Assert.Equal(AdvisoryLockStatus.Busy, await other.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, Session, token));
                Assert.Equal(AdvisoryLockStatus.Busy, await other.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, cancellationToken: token));
            },
            Session,
            Token);
        Assert.Equal(AdvisoryLockStatus.Ran, await other.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, Session, Token));
    }

    [Fact]
    public async Task Shared_sessions_are_released_too()
    {
        AdvisoryKey key = "shared session";
        await using var db = database.Open();
        await db.WithAdvisoryLockAsync(
            key,
            async (_, _) => Assert.Equal(1, await database.LocksAsync(key)),
            new() { Scope = AdvisoryLockScope.Session, Mode = AdvisoryLockMode.Shared },
            Token);
        Assert.Equal(0, await database.LocksAsync(key));
    }

    [Fact]
    public async Task A_lock_that_is_lost_cancels_the_work_and_is_told()
    {
        AdvisoryKey key = "lost";
        var wasCancelled = false;
        await using var db = database.Open();

        // Long before the first ping: the server says it.
        var error = await Assert.ThrowsAsync<AdvisoryLockLostException>(() => db.WithAdvisoryLockAsync(
            key,
            async (held, token) =>
            {
                await TerminateHolderAsync(key);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromSeconds(20), token));
                wasCancelled = held.LostToken.IsCancellationRequested;
            },
            new() { Scope = AdvisoryLockScope.Session, KeepAlive = TimeSpan.FromMinutes(1) },
            Token));

        Assert.True(wasCancelled);
        Assert.Equal(key, Assert.Single(error.Keys));
        await database.UntilFreeAsync(key);
    }

    [Fact]
    public async Task After_the_lock_is_lost_nothing_is_saved()
    {
        AdvisoryKey key = "lost before the save";
        var id = await database.AddTallyAsync();
        await using var db = database.Open();

        await Assert.ThrowsAsync<AdvisoryLockLostException>(() => db.WithAdvisoryLockAsync(
            key,
            async (held, _) =>
            {
                (await db.Tallies.SingleAsync(t => t.Id == id, Token)).Value++;
                await TerminateHolderAsync(key);
                await Task.Delay(Timeout.Infinite, held.LostToken).ContinueWith(_ => { }, TaskScheduler.Default);
                await Assert.ThrowsAsync<AdvisoryLockLostException>(() => db.SaveChangesAsync(Token));
            },
            Session,
            Token));

        Assert.Equal(0, await database.ValueAsync(id));
        Assert.Equal(1, await db.SaveChangesAsync(Token)); // no longer the lock's business
    }

    [Fact]
    public async Task Work_that_ends_before_the_loss_is_noticed_is_told_all_the_same()
    {
        AdvisoryKey key = "lost at the end";
        await using var db = database.Open();
        await Assert.ThrowsAsync<AdvisoryLockLostException>(() => db.WithAdvisoryLockAsync(key, (_, _) => TerminateHolderAsync(key), Session, Token));
        await database.UntilFreeAsync(key);
    }

    [Fact]
    public async Task A_server_that_no_longer_answers_is_noticed()
    {
        AdvisoryKey key = "black hole";
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);

        await Assert.ThrowsAsync<AdvisoryLockLostException>(() => db.WithAdvisoryLockAsync(
            key,
            (_, token) =>
            {
                proxy.BlackHole = true;
                return Task.Delay(Timeout.Infinite, token);
            },
            Session,
            Token).WaitAsync(TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public async Task The_connection_is_kept_alive_and_says_what_it_is_for()
    {
        AdvisoryKey key = "kept alive";
        await using var db = database.Open(database.ConnectionString + ";Options=-c idle_session_timeout=1500");
        await db.WithAdvisoryLockAsync(
            key,
            async (held, token) =>
            {
                await UntilAsync($"select exists (select from pg_stat_activity where query like '/* efconcurrency advisory-locks.keep-alive */ /* {key.Number} = kept alive */%')", token);
                Assert.Equal("efc-session-lock idle", await database.ScalarAsync<string>(
                    $"select a.application_name || ' ' || a.state from pg_stat_activity a join pg_locks l using (pid) where l.locktype = 'advisory' and ((l.classid::bigint << 32) | l.objid::bigint) = {key.Number}"));
                await Task.Delay(2000, held.LostToken); // longer than a session may be idle
            },
            Session,
            Token);
    }

    [Fact]
    public async Task A_waiter_whose_client_is_gone_does_not_get_the_lock()
    {
        AdvisoryKey key = "gone";
        await using var holder = await database.HoldAsync(key);
        await using var proxy = database.StartProxy();
        await using var db = database.Open(proxy.ConnectionString);

        var waiting = db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, new() { Scope = AdvisoryLockScope.Session, Timeout = Timeout.InfiniteTimeSpan }, Token);
        await database.UntilWaitingForLocksAsync(1);
        proxy.CutAll();
        await Assert.ThrowsAnyAsync<Exception>(() => waiting);

        // The server looks once a second (client_connection_check_interval); without that it would wait on, without end.
        await UntilAsync("select not exists (select from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database())", Token);
        Assert.Equal(1, await database.LocksAsync(key));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public async Task A_wait_in_vain_holds_nothing(int milliseconds)
    {
        AdvisoryKey key = $"in vain {milliseconds}";
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open();
        var options = new AdvisoryLockOptions { Scope = AdvisoryLockScope.Session, Timeout = TimeSpan.FromMilliseconds(milliseconds) };
        await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, options, Token));
        Assert.Equal(1, await database.LocksAsync(key));
    }

    [Fact]
    public async Task A_cancelled_wait_holds_nothing_not_even_the_keys_before()
    {
        AdvisoryKey first = 201, second = 202;
        await using var holder = await database.HoldAsync(second);
        await using var db = database.Open();
        using var cancel = new CancellationTokenSource();
        var waiting = db.WithAdvisoryLockAsync([first, second], (_, _) => Task.CompletedTask, Session, cancel.Token);
        await database.UntilWaitingForLocksAsync(1);
        Assert.Equal(1, await database.LocksAsync(first));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, await database.LocksAsync(first));
    }

    [Fact]
    public async Task Inside_a_transaction_it_is_refused()
    {
        await using var db = database.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.WithAdvisoryLockAsync("inside", (_, _) => Task.CompletedTask, Session, Token));
        Assert.Equal(AdvisoryLockRefusal.OpenTransaction, error.Reason);
    }

    [Fact]
    public async Task Work_that_leaves_a_transaction_open_is_told()
    {
        AdvisoryKey key = "left open";
        await using var db = database.Open();
        var error = await Assert.ThrowsAsync<AdvisoryLockNotPossibleException>(() => db.WithAdvisoryLockAsync(key, (_, token) => db.Database.BeginTransactionAsync(token), Session, Token));
        Assert.Equal(AdvisoryLockRefusal.OpenTransaction, error.Reason);
        Assert.Equal(0, await database.LocksAsync(key));
    }

    private Task TerminateHolderAsync(AdvisoryKey key)
        => database.ExecuteAsync($"select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and ((classid::bigint << 32) | objid::bigint) = {key.Number}");

    private async Task UntilAsync(string condition, CancellationToken token)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(token);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (!await database.ScalarAsync<bool>(condition))
        {
            await Task.Delay(20, deadline.Token);
        }
    }
}
