using System.Data;
using EfConcurrency.Idempotency;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>Inside the caller's transaction.</summary>
public sealed class JoinedTransactionTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Key_and_work_share_the_fate_of_the_callers_transaction(bool commits)
    {
        var key = NewKey();
        await using (var db = ledger.Open())
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            await WithdrawAsync(db, key);
            await (commits ? transaction.CommitAsync(Token) : transaction.RollbackAsync(Token));
        }

        Assert.Equal(commits ? 1 : 0, await ledger.EffectsAsync(key));
        Assert.Equal(commits, (await ledger.WithdrawOnceAsync(key)).IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_failure_leaves_the_transaction_as_it_was_before_the_call()
    {
        var key = NewKey();
        var other = Guid.NewGuid().ToString();
        await using var db = ledger.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        db.Add(new Entry { Text = other });
        await db.SaveChangesAsync(Token);

        await Assert.ThrowsAnyAsync<Exception>(() => db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                await LedgerDatabase.WithdrawAsync(context, key, token);
                await context.Database.ExecuteSqlRawAsync("select 1 / 0", token);
            },
            cancellationToken: Token));
        await transaction.CommitAsync(Token);

        Assert.Equal((0, 0), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
        Assert.Equal(1L, await ledger.ScalarAsync<long>($"select count(*) from \"Entries\" where \"Text\" = '{other}'"));
    }

    [Fact]
    public async Task A_key_that_is_another_transactions_is_told_and_the_transaction_stays_usable()
    {
        var key = NewKey();
        await using var first = await HeldWork.StartAsync(ledger, key);
        await using var db = ledger.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        await Assert.ThrowsAsync<IdempotencyInProgressException>(() => WithdrawAsync(db, key));
        await first.FinishAsync();

        Assert.True((await WithdrawAsync(db, key)).IsReplay);
        Assert.Equal("0", await db.Database.SqlQueryRaw<string>("select current_setting('lock_timeout') as \"Value\"").SingleAsync(Token));
        await transaction.CommitAsync(Token);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_reused_key_is_told_and_the_transaction_stays_usable()
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key);
        await using var db = ledger.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => db.ExecuteIdempotentlyAsync(key, new Withdrawal(1), (_, _) => Task.CompletedTask, cancellationToken: Token));
        await WithdrawAsync(db, NewKey());
        await transaction.CommitAsync(Token);
    }

    [Theory]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task A_snapshot_that_predates_the_wait_is_refused(IsolationLevel level)
    {
        await using var db = ledger.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(level, Token);

        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => WithdrawAsync(db, NewKey()));
    }

    [Fact]
    public async Task A_unit_of_RetryOnConflict_claims_anew_in_each_attempt()
    {
        var key = NewKey();
        var attempts = 0;
        await using var db = ledger.Open();
        var account = new Account();
        db.Add(account);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();

        var outcome = await db.RetryOnConflictAsync(
            (context, token) => context.ExecuteIdempotentlyAsync(
                key,
                Request,
                async (inner, innerToken) =>
                {
                    var mine = await inner.Accounts.SingleAsync(a => a.Id == account.Id, innerToken);
                    if (++attempts == 1)
                    {
                        await ledger.ExecuteAsync($"update \"Accounts\" set \"Version\" = \"Version\" + 1 where \"Id\" = {account.Id}");
                    }

                    mine.Balance = 1;
                    return await LedgerDatabase.WithdrawAsync(inner, key, innerToken);
                },
                cancellationToken: token),
            cancellationToken: Token);

        Assert.Equal(2, attempts);
        Assert.False(outcome.IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
        Assert.True((await ledger.WithdrawOnceAsync(key)).IsReplay);
    }

    [Fact]
    public async Task Neither_a_retry_nor_a_strategy_repeats_what_the_room_refuses()
        => Assert.All(
            [new IdempotencyKeyReusedException(NewKey()), new IdempotencyInProgressException(NewKey(), default), new IdempotencyClaimLostException(NewKey(), 1), new IdempotencyNeedsResolutionException(NewKey(), "x")],
            (Exception e) => Assert.Equal(ReplayVerdict.Never, ReplayClassifier.Classify(new DbUpdateException("", e), new HashSet<string>())));

    private static Task<IdempotencyOutcome<Receipt>> WithdrawAsync(LedgerContext db, IdempotencyKey key)
        => db.ExecuteIdempotentlyAsync(key, Request, (context, token) => LedgerDatabase.WithdrawAsync(context, key, token), cancellationToken: Token);
}
