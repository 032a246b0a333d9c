using EfConcurrency.JobSlots;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

/// <summary>Runners that don't come back, and runners that come back too late.</summary>
public sealed class ReclaimTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static readonly JobSlotOptions AtLeastOnce = new() { Mode = JobSlotMode.AtLeastOnce };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_slot_whose_runner_crashed_is_claimed_again_after_the_lease_and_not_before()
    {
        var slots = database.Slots();
        var job = NewJob();
        var first = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token)); // and never heard of again

        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await database.ExpireAsync(job);
        var second = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));

        Assert.Equal(2, second.Attempt);
        Assert.NotEqual(first.ClaimId, second.ClaimId);
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
    }

    [Fact]
    public async Task A_lease_ends_by_itself()
    {
        var slots = database.Slots();
        var job = NewJob();
        var options = new JobSlotOptions { Mode = JobSlotMode.AtLeastOnce, LeaseTime = TimeSpan.FromMilliseconds(50) };
        Handle(await slots.TryClaimAsync(job, Midnight, options, Token));

        JobSlotResult result;
        do
        {
            result = await slots.TryClaimAsync(job, Midnight, options, Token);
        }
        while (result is JobSlotResult.AlreadyClaimed);

        Assert.Equal(2, Handle(result).Attempt);
    }

    [Fact]
    public async Task A_late_completion_is_refused_with_the_facts_and_changes_nothing()
    {
        var slots = database.Slots();
        var job = NewJob();
        var late = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await database.ExpireAsync(job);
        var successor = Handle(await slots.TryClaimAsync(job, Midnight, new() { Mode = JobSlotMode.AtLeastOnce, Info = "successor" }, Token));

        var lost = await Assert.ThrowsAsync<JobSlotLostException>(() => late.CompleteAsync("late", Token));

        Assert.Equal((job, Midnight, 0, 1L), (lost.Job, lost.Slot, lost.SlotNo, lost.Attempt));
        Assert.Equal((2L, successor.ClaimId, "successor", null), (lost.CurrentAttempt, lost.CurrentClaimId, lost.CurrentInfo, lost.CompletedAt));
        Assert.Contains("attempt 2 by 'successor'", lost.Message, StringComparison.Ordinal);
        Assert.Null(Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).CompletedAt);

        await successor.CompleteAsync("in time", Token);
        Assert.NotNull((await Assert.ThrowsAsync<JobSlotLostException>(() => late.CompleteAsync("late", Token))).CompletedAt);
        Assert.Equal("in time", Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).Outcome);
    }

    [Fact]
    public async Task A_late_sign_of_life_is_refused()
    {
        var slots = database.Slots();
        var job = NewJob();
        var late = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await database.ExpireAsync(job);
        var successor = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));

        var lost = await Assert.ThrowsAsync<JobSlotLostException>(() => late.ExtendAsync(TimeSpan.FromHours(1), Token));

        Assert.Equal(successor.ClaimId, lost.CurrentClaimId);
        Assert.Equal(successor.ExpiresAt, Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).ExpiresAt);
    }

    [Fact]
    public async Task A_claim_that_is_extended_in_time_is_kept()
    {
        var slots = database.Slots();
        var job = NewJob();
        var handle = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await database.ExpireAsync(job);

        var until = await handle.ExtendAsync(TimeSpan.FromHours(1), Token);

        Assert.Equal(until, Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token)).Until);
        Assert.InRange(until - handle.ClaimedAt, TimeSpan.FromHours(1), TimeSpan.FromHours(1.1));
        Assert.InRange(await handle.ExtendAsync(cancellationToken: Token) - handle.ClaimedAt, AtLeastOnce.LeaseTime, AtLeastOnce.LeaseTime * 2);
    }

    [Fact]
    public async Task Who_is_late_but_has_no_successor_may_complete_and_may_say_so_twice()
    {
        var slots = database.Slots();
        var job = NewJob();
        var handle = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await database.ExpireAsync(job);

        await handle.CompleteAsync("done", Token);
        await handle.CompleteAsync("again", Token);

        Assert.Equal("done", Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).Outcome);
        Assert.IsType<JobSlotResult.Completed>(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        Assert.Contains("completed", (await Assert.ThrowsAsync<JobSlotLostException>(() => handle.ExtendAsync(TimeSpan.FromHours(1), Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_most_once_never_gives_a_slot_out_again()
    {
        var slots = database.Slots();
        var job = NewJob();
        var once = Handle(await slots.TryClaimAsync(job, Midnight, new() { Mode = JobSlotMode.AtMostOnce }, Token));
        await database.ExpireAsync(job);

        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, new() { Mode = JobSlotMode.AtMostOnce }, Token));
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        Assert.Equal(once.ClaimId, Assert.Single(await slots.HistoryAsync(job, cancellationToken: Token)).ClaimedBy);
    }

    [Fact]
    public async Task Who_asks_at_most_once_takes_no_slot_over()
    {
        var slots = database.Slots();
        var job = NewJob();
        Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await database.ExpireAsync(job);
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, cancellationToken: Token));
    }
}
