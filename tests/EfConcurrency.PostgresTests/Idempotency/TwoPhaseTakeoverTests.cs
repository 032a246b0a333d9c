using EfConcurrency.Idempotency;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;
using static EfConcurrency.PostgresTests.Idempotency.PaymentInSteps;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>Who holds the claim of an operation in steps: others wait for it, take it over when its lease is over, and the one that lost it can do no more.</summary>
public sealed class TwoPhaseTakeoverTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private const string Lapsed = "locked_until = clock_timestamp() - interval '1 ms'";
    private const string Held = "locked_until = clock_timestamp() + interval '1 hour'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_one_works_the_other_is_told_until_when_and_a_reused_key_is_told_too()
    {
        var key = NewKey();
        await ledger.PayInStepsAsync(key, [], LongLease, beforeSteps: async () =>
        {
            var refused = await Assert.ThrowsAsync<IdempotencyInProgressException>(() => ledger.PayInStepsAsync(key, []));
            Assert.Equal(TimeSpan.FromSeconds(1), refused.RetryAfter);
            await ledger.SetAsync(key, "locked_until = clock_timestamp() + interval '300 ms'");
            refused = await Assert.ThrowsAsync<IdempotencyInProgressException>(() => ledger.PayInStepsAsync(key, []));
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
        await ledger.PayInStepsAsync(key, [], LongLease, beforeSteps: async () =>
        {
            await using var db = ledger.Open(only);
            waiting = ledger.PayInStepsAsync(key, [], new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) }, connectionString: only);
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
        await ledger.PayInStepsAsync(key, [], LongLease, beforeSteps: async () =>
        {
            await Assert.ThrowsAsync<IdempotencyInProgressException>(() => ledger.PayInStepsAsync(key, []));
            await ledger.SetAsync(key, Lapsed);
            Assert.False((await ledger.PayInStepsAsync(key, [])).IsReplay);
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
        Assert.Equal("receipt of " + key.ForStep("charge"), (await ledger.PayInStepsAsync(key, [])).Result);
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
                        await Assert.ThrowsAsync<IdempotencyInProgressException>(() => ledger.PayInStepsAsync(key, []));
                        successor = ledger.PayInStepsAsync(key, [], new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) });
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

    /// <summary>As another process does after the lease has lapsed; it runs to the end.</summary>
    private async Task StealAsync(IdempotencyKey key)
    {
        await ledger.SetAsync(key, Lapsed);
        await ledger.PayInStepsAsync(key, []);
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
}
