using System.Diagnostics;
using EfConcurrency.Idempotency;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>Two with one key at the same time.</summary>
public sealed class ConcurrencyTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_one_works_the_other_is_told_so_at_once()
    {
        var key = NewKey();
        await using var first = await HeldWork.StartAsync(ledger, key);

        var refused = await Assert.ThrowsAsync<IdempotencyInProgressException>(() => ledger.WithdrawOnceAsync(key, new() { RetryAfter = TimeSpan.FromSeconds(7) }));

        Assert.Equal(TimeSpan.FromSeconds(7), refused.RetryAfter);
        Assert.False((await first.FinishAsync()).IsReplay);
        Assert.True((await ledger.WithdrawOnceAsync(key)).IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task One_that_may_wait_replays_what_the_other_did()
    {
        var key = NewKey();
        await using var first = await HeldWork.StartAsync(ledger, key);
        var waiting = ledger.WithdrawOnceAsync(key, new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) });
        await ledger.UntilWaitingForLocksAsync(1);

        var done = await first.FinishAsync();

        Assert.True((await waiting).IsReplay);
        Assert.Equal(done.Result, (await waiting).Result);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task One_that_may_wait_runs_when_the_other_fails()
    {
        var key = NewKey();
        await using var first = await HeldWork.StartAsync(ledger, key);
        var waiting = ledger.WithdrawOnceAsync(key, new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) });
        await ledger.UntilWaitingForLocksAsync(1);

        await Assert.ThrowsAsync<InvalidDataException>(() => first.FinishAsync(new InvalidDataException()));

        Assert.False((await waiting).IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    /// <summary>One snapshot for the whole transaction would predate the wait.</summary>
    [Fact]
    public async Task It_does_so_where_sessions_begin_with_repeatable_read()
    {
        var key = NewKey();
        var strict = ledger.With(b => b.Options = "-c default_transaction_isolation=repeatable\\ read");
        await using var first = await HeldWork.StartAsync(ledger, key);
        var waiting = ledger.WithdrawOnceAsync(key, new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) }, strict);
        await ledger.UntilWaitingForLocksAsync(1);

        await first.FinishAsync();

        Assert.True((await waiting).IsReplay);
    }

    /// <summary>The claim of TwoPhase is a transaction of the session's own level; what comes too late for its snapshot is asked for again.</summary>
    [Fact]
    public async Task So_does_the_claim_of_TwoPhase()
    {
        var key = NewKey();
        var options = new IdempotencyOptions { Mode = IdempotencyMode.TwoPhase, LockTimeout = TimeSpan.FromMinutes(1) };
        var strict = ledger.With(b => b.Options = "-c default_transaction_isolation=repeatable\\ read");
        await using var first = await HeldWork.StartAsync(ledger, key);
        var waiting = ledger.WithdrawOnceAsync(key, options, strict);
        await ledger.UntilWaitingForLocksAsync(1);

        await first.FinishAsync();

        Assert.True((await waiting).IsReplay);
    }

    [Fact]
    public async Task Waiting_ends_with_its_budget()
    {
        var key = NewKey();
        await using var first = await HeldWork.StartAsync(ledger, key);
        var started = Stopwatch.GetTimestamp();

        await Assert.ThrowsAsync<IdempotencyInProgressException>(() => ledger.WithdrawOnceAsync(key, new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMilliseconds(300)) }));

        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(290));
    }

    [Fact]
    public async Task Of_many_at_once_one_works_and_all_get_its_result()
    {
        var key = NewKey();
        var options = new IdempotencyOptions { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) };

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => ledger.WithdrawOnceAsync(key, options))));

        Assert.Single(outcomes, o => !o.IsReplay);
        Assert.Single(outcomes.Select(o => o.Result).Distinct());
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    /// <summary>
    /// The popular claim in one statement takes its snapshot before it waits for the winner, whose row it then does not see: it gets no answer.
    /// Two statements, which is what the library sends, see it.
    /// </summary>
    [Fact]
    public async Task The_claim_in_one_statement_loses_the_race_that_ours_wins()
    {
        var key = NewKey();
        await using var first = await HeldWork.StartAsync(ledger, key);
        var popular = PopularClaimAsync(key);
        var ours = ledger.WithdrawOnceAsync(key, new() { OnInFlight = IdempotencyInFlight.Wait(TimeSpan.FromMinutes(1)) });
        await ledger.UntilWaitingForLocksAsync(2);

        await first.FinishAsync();

        Assert.Equal(0, await popular);
        Assert.True((await ours).IsReplay);
    }

    [Theory]
    [InlineData(CommitFault.CutAfter)]
    [InlineData(CommitFault.CutBefore)]
    public async Task A_lost_reply_to_the_commit_is_settled(CommitFault fault)
    {
        var key = NewKey();
        await using var proxy = ledger.StartProxy();
        await ledger.WithdrawOnceAsync(NewKey(), connectionString: proxy.ConnectionString);
        var injected = proxy.FaultNextCommit(fault);

        var failure = await Record.ExceptionAsync(() => ledger.WithdrawOnceAsync(key, connectionString: proxy.ConnectionString));

        Assert.True(injected.IsCompleted);
        Assert.Equal(failure is null ? 1 : 0, await ledger.EffectsAsync(key));
        Assert.Equal(failure is null, (await ledger.WithdrawOnceAsync(key)).IsReplay);
        Assert.True(failure is null || fault == CommitFault.CutBefore);
    }

    [Theory]
    [InlineData(CommitFault.CutAfter)]
    [InlineData(CommitFault.CutBefore)]
    public async Task With_a_retrying_strategy_a_lost_connection_costs_the_caller_nothing(CommitFault fault)
    {
        var key = NewKey();
        await using var proxy = ledger.StartProxy();
        await using var db = ledger.Open(configure: o => o.UseNpgsql(proxy.ConnectionString, n => n.EnableRetryOnFailure()));
        await db.Entries.CountAsync(Token);
        var injected = proxy.FaultNextCommit(fault);

        var outcome = await db.ExecuteIdempotentlyAsync(key, Request, (context, token) => WithdrawAsync(context, key, token), cancellationToken: Token);

        Assert.True(injected.IsCompleted);
        Assert.False(outcome.IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
        Assert.Equal(outcome.Result, (await ledger.WithdrawOnceAsync(key)).Result);
    }

    /// <summary>Npgsql calls a lock timeout transient: EF's strategy would go on asking for half a minute.</summary>
    [Fact]
    public async Task A_retrying_strategy_does_not_repeat_a_claim_that_is_anothers()
    {
        var key = NewKey();
        await using var first = await HeldWork.StartAsync(ledger, key);
        await using var db = ledger.Open(configure: o => o.UseNpgsql(ledger.ConnectionString, n => n.EnableRetryOnFailure()));
        var started = Stopwatch.GetTimestamp();

        await Assert.ThrowsAsync<IdempotencyInProgressException>(
            () => db.ExecuteIdempotentlyAsync(key, Request, (context, token) => WithdrawAsync(context, key, token), cancellationToken: Token));

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
    }

    private async Task<int> PopularClaimAsync(IdempotencyKey key)
    {
        await using var connection = new NpgsqlConnection(ledger.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(
            $"""
            with claimed as (
                insert into efc.idempotency_key (scope, key, fingerprint, fp_version, state, fence, owner, attempts, created_at, expires_at)
                values ('{key.Scope}', '{key.Key}', '\x00', 1, 0, 1, gen_random_uuid(), 1, now(), now())
                on conflict (scope, key) do nothing returning state)
            select state from claimed union all select state from efc.idempotency_key where scope = '{key.Scope}' and key = '{key.Key}'
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var rows = 0;
        while (await reader.ReadAsync(Token))
        {
            rows++;
        }

        return rows;
    }
}
