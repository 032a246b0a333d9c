using EfConcurrency.Idempotency;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;
using static EfConcurrency.PostgresTests.Idempotency.PaymentInSteps;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>The claim is committed before the work; steps are resumed.</summary>
public sealed class TwoPhaseTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operation_in_steps_runs_once_and_is_replayed()
    {
        var key = NewKey();
        var calls = new List<string>();

        var first = await ledger.PayInStepsAsync(key, calls);
        var second = await ledger.PayInStepsAsync(key, calls);

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
        await Assert.ThrowsAsync<InvalidDataException>(() => ledger.PayInStepsAsync(key, calls, afterCharge: () => throw new InvalidDataException()));

        Assert.Equal("charge", await ledger.ColumnAsync<string>(key, "recovery_point"));
        var second = await ledger.PayInStepsAsync(key, calls);

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
        await Assert.ThrowsAsync<HttpRequestException>(() => ledger.PayInStepsAsync(key, calls, duringCharge: () => throw new HttpRequestException()));

        await ledger.PayInStepsAsync(key, calls);

        Assert.Equal(2, calls.Count);
        Assert.Single(calls.Distinct());
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
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ledger.PayInStepsAsync(key, calls, LongLease, afterCharge: caller.Cancel, cancellationToken: caller.Token));

        await ledger.PayInStepsAsync(key, calls);

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
        await Assert.ThrowsAsync<InvalidDataException>(() => ledger.PayInStepsAsync(key, [], afterCharge: () => throw new InvalidDataException()));

        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => ledger.WithdrawOnceAsync(key));
    }
}
