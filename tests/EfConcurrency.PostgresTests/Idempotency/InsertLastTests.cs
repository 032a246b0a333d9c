using EfConcurrency.Idempotency;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>The key rides in the save.</summary>
public sealed class InsertLastTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static readonly IdempotencyOptions Options = new() { Mode = IdempotencyMode.InsertLast };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<ServerJudgedSaves, AutoTransactionBehavior, bool, int> Ways => new(
        [ServerJudgedSaves.WhenAvailable, ServerJudgedSaves.Never],
        [AutoTransactionBehavior.WhenNeeded, AutoTransactionBehavior.Always, AutoTransactionBehavior.Never],
        [false, true],
        [1, 3]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_refused_version_leaves_no_key_and_no_row_in_any_way_of_saving(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows)
    {
        var key = NewKey();
        await using var db = ledger.Open(judge: judge);
        var ids = await AddAccountsAsync(db, rows);
        db.Database.AutoTransactionBehavior = behavior;
        await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null;

        await Assert.ThrowsAsync<VersionConflictException>(() => RaiseAsync(db, key, ids, () => ledger.ExecuteAsync($"update \"Accounts\" set \"Version\" = 9 where \"Id\" = {ids[^1]}")));
        await (transaction?.CommitAsync(Token) ?? Task.CompletedTask);

        Assert.Equal(0, await ledger.RowsAsync(key));
        Assert.Equal(0L, await BalancesAsync(ids));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Work_and_key_are_written_and_replayed_in_every_way_of_saving(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows)
    {
        var key = NewKey();
        await using var db = ledger.Open(judge: judge);
        var ids = await AddAccountsAsync(db, rows);
        db.Database.AutoTransactionBehavior = behavior;
        await using (var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null)
        {
            Assert.False((await RaiseAsync(db, key, ids)).IsReplay);
            db.ChangeTracker.Clear();
            Assert.True((await RaiseAsync(db, key, ids)).IsReplay);
            await (transaction?.CommitAsync(Token) ?? Task.CompletedTask);
        }

        Assert.Equal(1, await ledger.RowsAsync(key));
        Assert.Equal(rows, await BalancesAsync(ids));
        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Theory]
    [InlineData(ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(ServerJudgedSaves.Never, 2)]
    public async Task The_key_costs_no_round_trip_of_its_own(ServerJudgedSaves judge, int expected)
    {
        await using var proxy = ledger.StartProxy();
        await using var db = ledger.Open(proxy.ConnectionString, judge);
        db.AddRange(new Entry(), new Entry());
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();

        var trips = proxy.CountRoundTrips();
        await db.ExecuteIdempotentlyAsync(NewKey(), Request, Adds(2), Options, Token);

        Assert.Equal(expected, trips.Count);
    }

    [Fact]
    public async Task Of_two_that_save_at_once_one_is_rolled_back_and_replays()
    {
        var key = NewKey();
        await using var first = ledger.Open();
        await using var transaction = await first.Database.BeginTransactionAsync(Token);
        var winner = await first.ExecuteIdempotentlyAsync(key, Request, Adds(1, key), Options, Token);
        var losing = Task.Run(async () =>
        {
            await using var second = ledger.Open();
            return await second.ExecuteIdempotentlyAsync(key, Request, Adds(1, key), Options, Token);
        });
        await ledger.UntilWaitingForLocksAsync(1);

        await transaction.CommitAsync(Token);

        Assert.False(winner.IsReplay);
        Assert.True((await losing).IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_reused_key_is_rejected_and_the_work_rolled_back()
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key);
        await using var db = ledger.Open();

        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => db.ExecuteIdempotentlyAsync(key, new Withdrawal(1), Adds(1, key), Options, Token));

        Assert.Equal(1, await ledger.EffectsAsync(key));
        Assert.False(db.ChangeTracker.HasChanges());
    }

    /// <summary>On another server, which does not know the key: the balance is gone because the operation was done.</summary>
    [Fact]
    public async Task Work_that_fails_because_it_was_done_before_gets_the_first_answer()
    {
        var key = NewKey();
        await using var proxy = ledger.StartProxy(); // over another port: to the memory of keys, another database
        await using var elsewhere = ledger.Open(proxy.ConnectionString);
        await elsewhere.ExecuteIdempotentlyAsync(key, Request, (_, _) => Task.FromResult(7), Options, Token);
        await using var db = ledger.Open();

        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => db.ExecuteIdempotentlyAsync<LedgerContext, Withdrawal, int>(key, new(1), (_, _) => throw new InvalidDataException(), Options, Token));
        Assert.Equal(7, (await db.ExecuteIdempotentlyAsync<LedgerContext, Withdrawal, int>(key, Request, (_, _) => throw new InvalidDataException("no balance"), Options, Token)).Result);
        await Assert.ThrowsAsync<InvalidDataException>(() => db.ExecuteIdempotentlyAsync<LedgerContext, Withdrawal, int>(NewKey(), Request, (_, _) => throw new InvalidDataException(), Options, Token));
    }

    [Fact]
    public async Task Work_that_changes_nothing_still_keeps_its_result()
    {
        var key = NewKey();
        await using var db = ledger.Open();

        Assert.Equal(7, (await db.ExecuteIdempotentlyAsync(key, Request, (_, _) => Task.FromResult(7), Options, Token)).Result);
        Assert.Equal(7, (await db.ExecuteIdempotentlyAsync(key, Request, (_, _) => Task.FromResult(8), Options, Token)).Result);
    }

    [Fact]
    public async Task Writes_that_would_pass_the_key_by_are_refused()
    {
        var key = NewKey();
        await using var db = ledger.Open();
        Func<LedgerContext, CancellationToken, Task>[] writes =
        [
            (context, token) => WithdrawAsync(context, key, token),
            (context, _) =>
            {
                context.Add(new Entry { Text = key.Key });
                context.SaveChanges();
                return Task.CompletedTask;
            },
            (context, token) => context.Entries.ExecuteUpdateAsync(s => s.SetProperty(e => e.Text, key.Key), token),
            (context, token) => context.Database.ExecuteSqlRawAsync("update \"Entries\" set \"Text\" = ''", token),
        ];

        foreach (var write in writes)
        {
            await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => db.ExecuteIdempotentlyAsync(key, Request, write, Options, Token));
        }

        Assert.Equal((0, 0), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
    }

    [Fact]
    public async Task A_unit_of_RetryOnConflict_which_has_no_savepoints_is_refused()
    {
        await using var db = ledger.Open();
        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(
            () => db.RetryOnConflictAsync((context, token) => context.ExecuteIdempotentlyAsync(NewKey(), Request, Adds(1), Options, token), cancellationToken: Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_reply_to_the_save_is_settled(bool retries)
    {
        var key = NewKey();
        await using var proxy = ledger.StartProxy(c => c.NoResetOnClose = true);
        await using var db = ledger.Open(configure: o => o.UseNpgsql(proxy.ConnectionString, n => _ = retries ? n.EnableRetryOnFailure() : n));
        db.AddRange(new Entry(), new Entry());
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var injected = proxy.FaultNextBatch(CommitFault.CutAfter);

        var outcome = await db.ExecuteIdempotentlyAsync(key, Request, Adds(1, key), Options, Token);

        Assert.True(injected.IsCompleted);
        Assert.False(outcome.IsReplay);
        Assert.Equal((1, 1), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
    }

    private static Func<LedgerContext, CancellationToken, Task> Adds(int rows, IdempotencyKey? key = null) => (context, _) =>
    {
        context.AddRange(Enumerable.Range(0, rows).Select(_ => new Entry { Text = key?.Key ?? "" }));
        return Task.CompletedTask;
    };

    private static async Task<List<int>> AddAccountsAsync(LedgerContext db, int rows)
    {
        var accounts = Enumerable.Range(0, rows).Select(_ => new Account()).ToList();
        db.AddRange(accounts);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        return [.. accounts.Select(a => a.Id)];
    }

    private static Task<IdempotencyOutcome<bool>> RaiseAsync(LedgerContext db, IdempotencyKey key, List<int> ids, Func<Task>? meanwhile = null)
        => db.ExecuteIdempotentlyAsync(
            key,
            Request,
            async (context, token) =>
            {
                foreach (var account in await context.Accounts.Where(a => ids.Contains(a.Id)).OrderBy(a => a.Id).ToListAsync(token))
                {
                    account.Balance++;
                }

                await (meanwhile?.Invoke() ?? Task.CompletedTask);
            },
            Options,
            Token);

    private Task<long> BalancesAsync(List<int> ids) => ledger.ScalarAsync<long>($"select sum(\"Balance\") from \"Accounts\" where \"Id\" in ({string.Join(',', ids)})");
}
