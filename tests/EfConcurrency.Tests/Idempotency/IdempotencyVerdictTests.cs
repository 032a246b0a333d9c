using EfConcurrency.Idempotency;

namespace EfConcurrency.Tests.Idempotency;

/// <summary>The order of the questions is part of the contract.</summary>
public sealed class IdempotencyVerdictTests
{
    private static readonly Guid Me = Guid.NewGuid();

    public static MatrixTheoryData<IdempotencyState, bool, bool, bool, bool> Rows => new(Enum.GetValues<IdempotencyState>(), [false, true], [false, true], [false, true], [false, true]);

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_is_judged_in_the_order_expired_reused_completed_unresolved_mine_lapsed_in_progress(
        IdempotencyState state, bool isSame, bool isLapsed, bool isExpired, bool isMine)
    {
        var row = new IdempotencyRow(state, Fence: 1, isMine ? Me : Guid.NewGuid(), isSame, isLapsed, isExpired, LeaseLeft: null, RecoveryPoint: null);

        var expected = isExpired ? IdempotencyVerdict.Reset
            : !isSame ? IdempotencyVerdict.Reused
            : state == IdempotencyState.Completed ? IdempotencyVerdict.Replay
            : state == IdempotencyState.NeedsResolution ? IdempotencyVerdict.NeedsResolution
            : isMine ? IdempotencyVerdict.AlreadyOurs
            : isLapsed ? IdempotencyVerdict.TakeOver
            : IdempotencyVerdict.InProgress;
        Assert.Equal(expected, row.Judge(Me));
    }

    [Fact]
    public void What_may_be_different_next_time_is_not_stored_and_a_deterministic_refusal_without_effects()
    {
        Assert.All([0, 200, 201, 204, 301, 303], s => Assert.Equal(IdempotentDecision.Store, IdempotentResponse.DecisionFor(s)));
        Assert.All([400, 402, 404, 410, 412, 422], s => Assert.Equal(IdempotentDecision.StoreWithoutEffects, IdempotentResponse.DecisionFor(s)));
        Assert.All([401, 403, 408, 409, 425, 429, 500, 502, 503, 504], s => Assert.Equal(IdempotentDecision.Discard, IdempotentResponse.DecisionFor(s)));
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        Assert.Equal("Mode", Refused(new() { Mode = (IdempotencyMode)9 }));
        Assert.Equal("OnAmbiguous", Refused(new() { OnAmbiguous = (IdempotencyAmbiguity)9 }));
        Assert.Equal("Retention", Refused(new() { Retention = TimeSpan.Zero }));
        Assert.Equal("LockTimeout", Refused(new() { LockTimeout = TimeSpan.FromHours(1) }));
        Assert.Equal("RetryAfter", Refused(new() { RetryAfter = TimeSpan.FromSeconds(-1) }));
        Assert.Equal("Lease", Refused(new() { Lease = TimeSpan.FromMilliseconds(1) }));
        Assert.Equal("StoreTimeout", Refused(new() { StoreTimeout = TimeSpan.Zero }));
        Assert.Equal("MaxStoredBytes", Refused(new() { MaxStoredBytes = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => IdempotencyInFlight.Wait(TimeSpan.Zero));

        static string? Refused(IdempotencyOptions options) => Assert.Throws<ArgumentOutOfRangeException>(options.Validate).ParamName;
    }
}
