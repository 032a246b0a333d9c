using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>Waits that end in another way than with the lock.</summary>
public sealed class RowLockFailureTests(DepotDatabase depot) : IClassFixture<DepotDatabase>
{
    private static readonly RowLockWait Long = RowLockWait.Wait(TimeSpan.FromSeconds(30));
    private static readonly RowLockWait Short = RowLockWait.Wait(TimeSpan.FromMilliseconds(50));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cancelled_wait_leaves_the_transaction_usable_where_there_is_a_savepoint()
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        using var cancel = new CancellationTokenSource();

        var waiting = db.Orders.Where(o => o.Id == 1).ForUpdate(Long).SingleAsync(cancel.Token);
        await depot.UntilWaitingForLocksAsync(1);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(4, await db.Orders.CountAsync(Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => db.Orders.ForUpdate(Long).ToListAsync(cancel.Token)); // before it is sent
        Assert.Equal(4, await db.Orders.CountAsync(Token));
    }

    [Fact]
    public async Task A_command_timeout_leaves_the_transaction_usable_where_there_is_a_savepoint()
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        db.Database.SetCommandTimeout(TimeSpan.FromSeconds(1));

        var error = await Record.ExceptionAsync(() => db.Orders.Where(o => o.Id == 1).ForUpdate(Long).SingleAsync(Token));

        Assert.IsType<TimeoutException>(error!.GetBaseException());
        Assert.Equal(4, await db.Orders.CountAsync(Token));
    }

    [Fact]
    public async Task A_session_that_is_terminated_while_it_waits_reports_that_and_leaves_no_lock()
    {
        await using var other = await depot.LockOrderElsewhereAsync(4);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Orders.Where(o => o.Id == 2).ForUpdate().SingleAsync(Token);

        var waiting = Record.ExceptionAsync(() => db.Orders.Where(o => o.Id == 4).ForUpdate(Long).SingleAsync(Token));
        await depot.UntilWaitingForLocksAsync(1);
        await depot.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");

        Assert.Equal("57P01", Assert.IsType<PostgresException>((await waiting)!.GetBaseException()).SqlState);
        Assert.Equal("4", await depot.LockedAsync("Orders"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_strategy_repeats_a_refused_lock(bool hasStrategy)
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);
        await using var db = depot.Open(n => _ = hasStrategy ? n.EnableRetryOnFailure(3) : n);
        var attempts = 0;

        await Assert.ThrowsAsync<RowLockUnavailableException>(() => db.Database.CreateExecutionStrategy().ExecuteAsync(
            async token =>
            {
                attempts++;
                await using var transaction = await db.Database.BeginTransactionAsync(token);
                await db.Orders.Where(o => o.Id == 1).ForUpdate(RowLockWait.NoWait).SingleAsync(token);
            },
            Token));

        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task RetryOnConflictAsync_does_not_repeat_a_refused_lock()
    {
        await using var other = await depot.LockOrderElsewhereAsync(1);
        await using var db = depot.Open();
        var attempts = 0;

        await Assert.ThrowsAsync<RowLockUnavailableException>(() => db.RetryOnConflictAsync(
            async (context, token) =>
            {
                attempts++;
                await context.Orders.Where(o => o.Id == 1).ForUpdate(Short).SingleAsync(token);
            },
            cancellationToken: Token));

        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task A_deadlock_stays_what_it_is()
    {
        await using var other = await depot.LockOrderElsewhereAsync(2);
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Orders.Where(o => o.Id == 1).ForUpdate().SingleAsync(Token);

        await other.ExecuteAsync("set local deadlock_timeout = '60s'"); // so that it is not they who lose
        var theirs = other.ExecuteAsync("select 1 from \"Orders\" where \"Id\" = 1 for update");
        await depot.UntilWaitingForLocksAsync(1);

        var loser = await Record.ExceptionAsync(() => db.Orders.Where(o => o.Id == 2).ForUpdate(Long).SingleAsync(Token));

        Assert.IsNotType<RowLockUnavailableException>(loser);
        Assert.Equal("40P01", Assert.IsType<PostgresException>(loser!.GetBaseException()).SqlState);
        await transaction.RollbackAsync(Token);
        await theirs;
    }
}
