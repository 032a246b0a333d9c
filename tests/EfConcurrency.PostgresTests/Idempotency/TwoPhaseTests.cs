using EfConcurrency.Idempotency;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>The claim is committed before the work; steps are resumed.</summary>
public sealed class TwoPhaseTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private const string Lapsed = "locked_until = clock_timestamp() - interval '1 ms'";
    private const string Held = "locked_until = clock_timestamp() + interval '1 hour'";

    private static readonly IdempotencyOptions LongLease = new() { Lease = TimeSpan.FromHours(1) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operation_in_steps_runs_once_and_is_replayed()
    {
        var key = NewKey();
        var calls = new List<string>();

        var first = await PayAsync(key, calls);
        var second = await PayAsync(key, calls);

        Assert.False(first.IsReplay);
        Assert.True(second.IsReplay);
        Assert.Equal(first.Result, second.Result);
        Assert.Equal([key.ForStep("charge")], calls);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task After_a_failure_the_next_one_goes_on_at_the_step_that_was_reached_with_its_results()
    {
        var key = NewKey();
        var calls = new List<string>();
        await Assert.ThrowsAsync<InvalidDataException>(() => PayAsync(key, calls, afterCharge: () => throw new InvalidDataException()));

        Assert.Equal("charge", await ledger.ColumnAsync<string>(key, "recovery_point"));
        var second = await PayAsync(key, calls);

        Assert.False(second.IsReplay);
        Assert.Single(calls);
        Assert.Equal("receipt of " + calls[0], second.Result);
        Assert.Equal(1, await ledger.EffectsAsync(key));
        Assert.Equal(2, await ledger.ColumnAsync<int>(key, "attempts"));
    }

    [Fact]
    public async Task A_call_that_failed_is_made_again_under_the_same_downstream_key()
    {
        var key = NewKey();
        var calls = new List<string>();
        await Assert.ThrowsAsync<HttpRequestException>(() => PayAsync(key, calls, duringCharge: () => throw new HttpRequestException()));

        await PayAsync(key, calls);

        Assert.Equal(2, calls.Count);
        Assert.Single(calls.Distinct());
    }

    [Fact]
    public async Task While_one_works_the_other_is_told_until_when_and_a_reused_key_is_told_too()
    {
        var key = NewKey();
        await PayAsync(key, [], LongLease, beforeSteps: async () =>
        {
            var refused = await Assert.ThrowsAsync<IdempotencyInProgressException>(() => PayAsync(key, []));
            Assert.Equal(TimeSpan.FromSeconds(1), refused.RetryAfter);
            await ledger.SetAsync(key, "locked_until = clock_timestamp() + interval '300 ms'");
            refused = await Assert.ThrowsAsync<IdempotencyInProgressException>(() => PayAsync(key, []));
            Assert.InRange(refused.RetryAfter, TimeSpan.Zero, TimeSpan.FromMilliseconds(300));
            await ledger.SetAsync(key, Held);

            await using var db = ledger.Open();
            await Assert.ThrowsAsync<IdempotencyKeyReusedException>(
                () => db.ExecuteInPhasesAsync(key, new Withdrawal(1), (_, _) => Task.FromResult(1), cancellationToken: Token));
        });
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task One_that_may_wait_holds_no_connection_meanwhile_and_replays()
    {
        var key = NewKey();
        var only = ledger.With(b => { b.MaxPoolSize = 1; b.Timeout = 5; b.ApplicationName = Guid.NewGuid().ToString(); });
        Task<IdempotencyOutcome<string>>? waiting = null;
        await PayAsync(key, [], LongLease, beforeSteps: async () =>
        {
            await using var db = ledger.Open(only);
            waiting = PayAsync(key, [], new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) }, connectionString: only);
            await Eventually.IsTrueAsync(async () =>
            {
                await db.Entries.CountAsync(Token); // the pool's one connection
                return !waiting.IsCompleted;
            });
        });

        Assert.True((await waiting!).IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    /// <summary>The clock of the application's machine plays no part: it is the row's time that decides, and the database that reads it.</summary>
    [Fact]
    public async Task Takeover_comes_only_after_the_lease_by_the_databases_clock()
    {
        var key = NewKey();
        await PayAsync(key, [], LongLease, beforeSteps: async () =>
        {
            await Assert.ThrowsAsync<IdempotencyInProgressException>(() => PayAsync(key, []));
            await ledger.SetAsync(key, Lapsed);
            Assert.False((await PayAsync(key, [])).IsReplay);
        }).ContinueWith(t => Assert.IsType<IdempotencyClaimLostException>(t.Exception?.InnerException), Token, TaskContinuationOptions.None, TaskScheduler.Default);

        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_zombies_late_step_is_rolled_back()
    {
        var key = NewKey();
        await AssertLostAsync(key, async phases =>
        {
            await StealAsync(key);
            await phases.RunAsync("book", (db, token) => WithdrawAsync(db, key, token), Token);
        });
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_zombies_late_call_is_not_made()
    {
        var key = NewKey();
        var called = false;
        await AssertLostAsync(key, async phases =>
        {
            await StealAsync(key);
            await phases.CallAsync("charge", (_, _) => Task.FromResult(called = true), cancellationToken: Token);
        });
        Assert.False(called);
    }

    [Fact]
    public async Task A_zombies_late_completion_is_refused()
    {
        var key = NewKey();
        await AssertLostAsync(key, _ => StealAsync(key));
        Assert.Equal("receipt of " + key.ForStep("charge"), (await PayAsync(key, [])).Result);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public async Task A_zombies_late_save_outside_of_a_step_is_refused(int rows, bool inTransaction)
    {
        var key = NewKey();
        await AssertLostAsync(key, async _ => await StealAsync(key), async db =>
        {
            db.AddRange(Enumerable.Range(0, rows).Select(_ => new Entry { Text = key.Key }));
            await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null;
            await db.SaveChangesAsync(Token);
            await (transaction?.CommitAsync(Token) ?? Task.CompletedTask);
        });
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_step_holds_takeover_off_until_it_is_committed()
    {
        var key = NewKey();
        Task<IdempotencyOutcome<string>>? successor = null;
        await using var db = ledger.Open();
        var outcome = await db.ExecuteInPhasesAsync(
            key,
            Request,
            async (phases, token) =>
            {
                await ledger.SetAsync(key, Lapsed); // without a heartbeat for an hour
                return await phases.RunAsync(
                    "book",
                    async (context, inner) =>
                    {
                        var booked = await WithdrawAsync(context, key, inner);
                        await Assert.ThrowsAsync<IdempotencyInProgressException>(() => PayAsync(key, []));
                        successor = PayAsync(key, [], new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) });
                        return booked.Text;
                    },
                    token);
            },
            LongLease,
            Token);

        Assert.True((await successor!).IsReplay);
        Assert.False(outcome.IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_heartbeat_keeps_the_claim_and_tells_the_work_when_it_is_lost()
    {
        var key = NewKey();
        await using var db = ledger.Open();

        await Assert.ThrowsAsync<IdempotencyClaimLostException>(() => db.ExecuteInPhasesAsync(
            key,
            Request,
            async (_, token) =>
            {
                var before = await ledger.ColumnAsync<DateTime>(key, "locked_until");
                await Eventually.IsTrueAsync(async () => await ledger.ColumnAsync<DateTime>(key, "locked_until") > before);
                await ledger.SetAsync(key, "fence = fence + 1");
                await Task.Delay(TimeSpan.FromMinutes(1), token);
                return 1;
            },
            new() { Lease = TimeSpan.FromMilliseconds(600) },
            Token));
    }

    [Fact]
    public async Task A_refused_save_that_a_step_swallows_is_not_committed()
    {
        var key = NewKey();
        var unique = Guid.NewGuid().ToString();
        await ledger.ExecuteAsync($"insert into \"Entries\" (\"Text\", \"Unique\") values ('', '{unique}')");
        await using var db = ledger.Open();

        await Assert.ThrowsAsync<DbUpdateException>(() => db.ExecuteInPhasesAsync(
            key,
            Request,
            async (phases, token) => await phases.RunAsync(
                "book",
                async (context, inner) =>
                {
                    await WithdrawAsync(context, key, inner);
                    context.Add(new Entry { Unique = unique });
                    await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync(inner));
                    return 1;
                },
                token),
            cancellationToken: Token));

        Assert.Equal(0, await ledger.EffectsAsync(key));
    }

    [Theory]
    [InlineData(CommitFault.CutAfter, false)]
    [InlineData(CommitFault.CutAfter, true)]
    [InlineData(CommitFault.CutBefore, true)]
    public async Task A_lost_reply_to_a_steps_commit_does_not_repeat_it(CommitFault fault, bool retries)
    {
        var key = NewKey();
        await using var proxy = ledger.StartProxy();
        await using var db = ledger.Open(configure: o => o.UseNpgsql(proxy.ConnectionString, n => _ = retries ? n.EnableRetryOnFailure() : n));
        await db.Entries.CountAsync(Token);
        var injected = proxy.FaultNextCommit(fault);

        await db.ExecuteInPhasesAsync(key, Request, (phases, token) => phases.RunAsync("book", (context, inner) => WithdrawAsync(context, key, inner), token), cancellationToken: Token);

        Assert.True(injected.IsCompleted);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_caller_that_gives_up_leaves_the_key_at_its_recovery_point_and_free()
    {
        var key = NewKey();
        var calls = new List<string>();
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PayAsync(key, calls, LongLease, afterCharge: caller.Cancel, cancellationToken: caller.Token));

        await PayAsync(key, calls);

        Assert.Single(calls);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_transaction_around_it_steps_in_steps_and_unknown_steps_are_refused()
    {
        await using var db = ledger.Open();
        await using (await db.Database.BeginTransactionAsync(Token))
        {
            await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => db.ExecuteInPhasesAsync(NewKey(), Request, (_, _) => Task.FromResult(1), cancellationToken: Token));
        }

        Assert.Throws<IdempotencyNotPossibleException>(db.CurrentIdempotencyPhases);
        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => db.ExecuteInPhasesAsync(
            NewKey(), Request, (phases, token) => phases.RunAsync("a", (_, inner) => phases.RunAsync("b", (_, _) => Task.FromResult(1), inner), token), cancellationToken: Token));
        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => db.ExecuteInPhasesAsync(
            NewKey(), Request, (phases, token) => phases.RunAsync("a", (_, inner) => phases.CallAsync("b", (_, _) => Task.FromResult(1), null, inner), token), cancellationToken: Token));
    }

    [Fact]
    public async Task What_was_begun_in_steps_does_not_begin_anew_in_one_transaction()
    {
        var key = NewKey();
        await Assert.ThrowsAsync<InvalidDataException>(() => PayAsync(key, [], afterCharge: () => throw new InvalidDataException()));

        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => ledger.WithdrawOnceAsync(key));
    }

    /// <summary>As another process does after the lease has lapsed; it runs to the end.</summary>
    private async Task StealAsync(IdempotencyKey key)
    {
        await ledger.SetAsync(key, Lapsed);
        await PayAsync(key, []);
    }

    private async Task AssertLostAsync(IdempotencyKey key, Func<IdempotencyPhases<LedgerContext>, Task> work, Func<LedgerContext, Task>? after = null)
    {
        await using var db = ledger.Open();
        var lost = await Assert.ThrowsAsync<IdempotencyClaimLostException>(() => db.ExecuteInPhasesAsync(
            key,
            Request,
            async (phases, _) =>
            {
                await work(phases);
                await (after?.Invoke(db) ?? Task.CompletedTask);
                return "zombie";
            },
            LongLease,
            Token));
        Assert.True(lost.Fence > 0);
    }

    private async Task<IdempotencyOutcome<string>> PayAsync(
        IdempotencyKey key,
        List<string> calls,
        IdempotencyOptions? options = null,
        Func<Task>? beforeSteps = null,
        Action? duringCharge = null,
        Action? afterCharge = null,
        string? connectionString = null,
        CancellationToken? cancellationToken = null)
    {
        await using var db = ledger.Open(connectionString);
        return await db.ExecuteInPhasesAsync(
            key,
            Request,
            async (phases, token) =>
            {
                await (beforeSteps?.Invoke() ?? Task.CompletedTask);
                await phases.RunAsync("book", (context, inner) => WithdrawAsync(context, key, inner), token);
                var receipt = await phases.CallAsync(
                    "charge",
                    (downstreamKey, _) =>
                    {
                        calls.Add(downstreamKey);
                        duringCharge?.Invoke();
                        return Task.FromResult("receipt of " + downstreamKey);
                    },
                    cancellationToken: token);
                afterCharge?.Invoke();
                token.ThrowIfCancellationRequested();
                return receipt;
            },
            options,
            cancellationToken ?? Token);
    }
}
