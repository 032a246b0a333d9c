using EfConcurrency.Idempotency;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>Key, work and result are one transaction.</summary>
public sealed class SameTransactionTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_work_runs_once_and_its_result_is_replayed()
    {
        var key = NewKey();

        var first = await ledger.WithdrawOnceAsync(key);
        var second = await ledger.WithdrawOnceAsync(key);

        Assert.False(first.IsReplay);
        Assert.Null(first.CompletedAt);
        Assert.True(second.IsReplay);
        Assert.NotNull(second.CompletedAt);
        Assert.Equal(first.Result, second.Result);
        Assert.Equal(first.Fence, second.Fence);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_key_of_another_scope_is_another_key()
    {
        var key = NewKey("tenant 1");
        await ledger.WithdrawOnceAsync(key);

        var other = await ledger.WithdrawOnceAsync(new("tenant 2", key.Key));

        Assert.False(other.IsReplay);
        Assert.Equal(2, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_reused_key_with_another_request_is_rejected_and_nothing_is_done()
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key);
        await using var db = ledger.Open();

        var reused = await Assert.ThrowsAsync<IdempotencyKeyReusedException>(
            () => db.ExecuteIdempotentlyAsync(key, new Withdrawal(1_000_000), (context, token) => WithdrawAsync(context, key, token), cancellationToken: Token));

        Assert.Equal(key, reused.Key);
        Assert.DoesNotContain(key.Key, reused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task An_exception_rolls_work_and_key_back_and_the_next_one_runs()
    {
        var key = NewKey();
        await using var db = ledger.Open();

        await Assert.ThrowsAsync<InvalidDataException>(() => db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                await WithdrawAsync(context, key, token);
                throw new InvalidDataException();
            },
            cancellationToken: Token));

        Assert.Equal(0, await ledger.EffectsAsync(key));
        Assert.Equal(0, await ledger.RowsAsync(key));
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.True(db.Database.AutoSavepointsEnabled);
        Assert.False((await ledger.WithdrawOnceAsync(key)).IsReplay);
    }

    [Fact]
    public async Task A_caller_that_gives_up_while_the_work_runs_leaves_nothing()
    {
        var key = NewKey();
        await using var db = ledger.Open();
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                await WithdrawAsync(context, key, token);
                await caller.CancelAsync();
                return await context.Entries.CountAsync(token);
            },
            cancellationToken: caller.Token));

        Assert.Equal((0, 0), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
    }

    [Fact]
    public async Task What_was_done_is_stored_although_the_caller_has_given_up()
    {
        var key = NewKey();
        await using var db = ledger.Open();
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var outcome = await db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                var receipt = await WithdrawAsync(context, key, token);
                await caller.CancelAsync();
                return receipt;
            },
            cancellationToken: caller.Token);

        Assert.Equal(outcome.Result, (await ledger.WithdrawOnceAsync(key)).Result);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_refused_save_that_the_work_swallows_is_not_committed()
    {
        var key = NewKey();
        await using var db = ledger.Open();
        var account = new Account();
        db.Add(account);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();

        await Assert.ThrowsAsync<VersionConflictException>(() => db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                var mine = await context.Accounts.SingleAsync(a => a.Id == account.Id, token);
                await ledger.ExecuteAsync($"update \"Accounts\" set \"Version\" = \"Version\" + 1 where \"Id\" = {account.Id}");
                mine.Balance = 1;
                context.Add(new Entry { Text = key.Key });
                await Assert.ThrowsAsync<VersionConflictException>(() => context.SaveChangesAsync(token));
            },
            cancellationToken: Token));

        Assert.Equal((0, 0), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
    }

    [Fact]
    public async Task A_swallowed_error_of_the_server_is_not_taken_for_success()
    {
        var key = NewKey();
        await using var db = ledger.Open();

        var error = await Assert.ThrowsAsync<PostgresException>(() => db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                await WithdrawAsync(context, key, token);
                await Assert.ThrowsAsync<PostgresException>(() => context.Database.ExecuteSqlRawAsync("select 1 / 0", token));
            },
            cancellationToken: Token));

        Assert.Equal(PostgresErrorCodes.InFailedSqlTransaction, error.SqlState);
        Assert.Equal((0, 0), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
    }

    [Fact]
    public async Task A_transaction_that_the_work_ended_is_refused()
    {
        var key = NewKey();
        await using var db = ledger.Open();

        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => db.ExecuteIdempotentlyAsync(
            key, Request, (context, token) => context.Database.CurrentTransaction!.RollbackAsync(token), cancellationToken: Token));

        Assert.Equal(0, await ledger.RowsAsync(key));
    }

    [Fact]
    public async Task A_transaction_that_the_work_exchanged_behind_EFs_back_is_not_committed()
    {
        var key = NewKey();
        await using var db = ledger.Open();

        await Assert.ThrowsAsync<IdempotencyClaimLostException>(() => db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                await context.Database.ExecuteSqlRawAsync("rollback; begin", token);
                await WithdrawAsync(context, key, token);
            },
            cancellationToken: Token));

        Assert.Equal((0, 0), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
    }

    [Fact]
    public async Task Unsaved_changes_another_key_inside_and_a_TransactionScope_are_refused()
    {
        await using var db = ledger.Open();
        Task<IdempotencyOutcome<bool>> CallAsync() => db.ExecuteIdempotentlyAsync(NewKey(), Request, (_, _) => Task.CompletedTask, cancellationToken: Token);

        db.Add(new Entry());
        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(CallAsync);
        db.ChangeTracker.Clear();

        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => db.ExecuteIdempotentlyAsync(NewKey(), Request, (_, _) => CallAsync(), cancellationToken: Token));

        using var scope = new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled);
        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(CallAsync);
    }

    [Fact]
    public async Task The_works_statements_wait_for_locks_as_long_as_ever()
    {
        await using var db = ledger.Open(ledger.With(b => b.Options = "-c lock_timeout=4321"));

        var inside = await db.ExecuteIdempotentlyAsync(NewKey(), Request, (context, token) => context.Database.SqlQueryRaw<string>("select current_setting('lock_timeout') as \"Value\"").SingleAsync(token), cancellationToken: Token);

        Assert.Equal("4321ms", inside.Result);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_context_of_a_pool_serves_one_operation_after_the_other(bool fails)
    {
        var builder = new DbContextOptionsBuilder<LedgerContext>().UseNpgsql(ledger.ConnectionString).UseEfConcurrency();
        var factory = new Microsoft.EntityFrameworkCore.Infrastructure.PooledDbContextFactory<LedgerContext>(builder.Options, poolSize: 1);
        await using (var db = await factory.CreateDbContextAsync(Token))
        {
            var key = NewKey();
            await Record.ExceptionAsync(() => db.ExecuteIdempotentlyAsync(
                key, Request, async (context, token) => fails ? throw new InvalidDataException() : await WithdrawAsync(context, key, token), cancellationToken: Token));
        }

        await using (var db = await factory.CreateDbContextAsync(Token))
        {
            Assert.True(db.Database.AutoSavepointsEnabled);
            var key = NewKey();
            await db.ExecuteIdempotentlyAsync(key, Request, (context, token) => WithdrawAsync(context, key, token), cancellationToken: Token);
            Assert.Equal(1, await ledger.EffectsAsync(key));
        }
    }
}
