using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>A step of which nobody knows whether it took effect, and which must not run twice.</summary>
public sealed class AmbiguousStepTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static readonly IdempotencyOptions Options = new() { OnAmbiguous = IdempotencyAmbiguity.NeedsResolution };

    private int _calls;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_an_exception_in_it_the_step_never_runs_again_by_itself()
    {
        var key = NewKey();

        var first = await Assert.ThrowsAsync<IdempotencyNeedsResolutionException>(() => ChargeAsync(key, () => throw new TimeoutException()));
        var second = await Assert.ThrowsAsync<IdempotencyNeedsResolutionException>(() => ChargeAsync(key));

        Assert.IsType<TimeoutException>(first.InnerException);
        Assert.Equal("charge", second.Step);
        Assert.Equal(1, _calls);
    }

    [Fact]
    public async Task After_a_crash_in_it_the_step_never_runs_again_by_itself()
    {
        var key = NewKey();
        await CrashInStepAsync(key);

        await Assert.ThrowsAsync<IdempotencyNeedsResolutionException>(() => ChargeAsync(key));

        Assert.Equal(1, _calls);
        Assert.Equal((short)2, await ledger.ColumnAsync<short>(key, "state"));
    }

    [Fact]
    public async Task A_step_may_say_otherwise_than_the_options()
    {
        var key = NewKey();
        await CrashInStepAsync(key);

        Assert.Equal(42, (await ChargeAsync(key, onAmbiguous: IdempotencyAmbiguity.RunAgain)).Result);
        Assert.Equal(2, _calls);
    }

    [Fact]
    public async Task Someone_who_has_looked_can_say_how_it_ended()
    {
        var key = NewKey();
        await StopAsync(key);
        await using var db = ledger.Open();

        Assert.True(await db.Idempotency().ResolveAsync(key, new(0, "17"u8.ToArray()), cancellationToken: Token));
        Assert.False(await db.Idempotency().ResolveAsync(key, new(0, "18"u8.ToArray()), cancellationToken: Token));

        var replay = await ChargeAsync(key);
        Assert.True(replay.IsReplay);
        Assert.Equal(17, replay.Result);
        Assert.Equal(1, _calls);
    }

    [Fact]
    public async Task Someone_who_has_looked_can_let_the_step_run_again()
    {
        var key = NewKey();
        await StopAsync(key);
        await using var db = ledger.Open();

        Assert.True(await db.Idempotency().ResumeAsync(key, Token));

        Assert.Equal(42, (await ChargeAsync(key)).Result);
        Assert.Equal(2, _calls);
    }

    [Fact]
    public async Task Someone_who_has_looked_can_say_what_the_step_led_to()
    {
        var key = NewKey();
        await StopAsync(key);
        await using var db = ledger.Open();

        Assert.True(await db.Idempotency().ResumeAfterStepAsync(key, 99, cancellationToken: Token));

        Assert.Equal(99, (await ChargeAsync(key)).Result);
        Assert.Equal(1, _calls);
    }

    [Fact]
    public async Task It_is_found_among_the_stuck()
    {
        var key = NewKey();
        await StopAsync(key);
        await using var db = ledger.Open();
        var store = db.Idempotency();

        var stuck = Assert.Single(await store.ListStuckAsync(TimeSpan.FromDays(1), cancellationToken: Token), r => r.Key == key.Key);

        Assert.Equal((IdempotencyState.NeedsResolution, "charge", 1), (stuck.State, stuck.RecoveryPoint, stuck.Attempts));
        Assert.True(await store.CountStuckAsync(TimeSpan.FromDays(1), Token) >= 1);
        Assert.Equal(key.Scope, (await store.FindAsync(key, Token))!.Scope);
        Assert.Null(await store.FindAsync(NewKey(), Token));
    }

    [Fact]
    public async Task Work_that_is_merely_running_is_not_stuck()
    {
        var key = NewKey();
        await using var db = ledger.Open();
        await db.ExecuteInPhasesAsync(
            key,
            Request,
            async (_, _) =>
            {
                Assert.DoesNotContain(await db.Idempotency().ListStuckAsync(TimeSpan.Zero, cancellationToken: Token), r => r.Key == key.Key);
                return 1;
            },
            cancellationToken: Token);
    }

    private Task<IdempotencyNeedsResolutionException> StopAsync(IdempotencyKey key) => Assert.ThrowsAsync<IdempotencyNeedsResolutionException>(() => ChargeAsync(key, () => throw new TimeoutException()));

    /// <summary>What a process leaves that dies in the step: begun, no result, a lease that lapses.</summary>
    private async Task CrashInStepAsync(IdempotencyKey key)
    {
        await StopAsync(key);
        await ledger.SetAsync(key, "state = 0, locked_until = clock_timestamp() - interval '1 ms'");
    }

    private async Task<IdempotencyOutcome<int>> ChargeAsync(IdempotencyKey key, Action? during = null, IdempotencyAmbiguity? onAmbiguous = null)
    {
        await using var db = ledger.Open();
        return await db.ExecuteInPhasesAsync(
            key,
            Request,
            (phases, token) => phases.CallAsync(
                "charge",
                (_, _) =>
                {
                    _calls++;
                    during?.Invoke();
                    return Task.FromResult(42);
                },
                onAmbiguous,
                token),
            Options,
            Token);
    }
}
