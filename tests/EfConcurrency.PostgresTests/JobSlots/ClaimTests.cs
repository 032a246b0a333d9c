using EfConcurrency.JobSlots;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

public sealed class ClaimTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_gets_the_slot_and_the_second_is_told_who_has_it_and_until_when()
    {
        var slots = database.Slots();
        var job = NewJob();

        var handle = Handle(await slots.TryClaimAsync(job, Midnight, new() { Info = "first" }, Token));
        var second = Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, cancellationToken: Token));

        Assert.Equal((job, Midnight, 0, 1L), (handle.Job, handle.Slot, handle.SlotNo, handle.Attempt));
        Assert.Equal((handle.ClaimId, "first", handle.ExpiresAt, Midnight), (second.ClaimId, second.By, second.Until, second.Slot));
        Assert.InRange(handle.ExpiresAt - handle.ClaimedAt, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.1));
    }

    [Fact]
    public async Task A_completed_slot_says_when_by_whom_and_with_what_outcome()
    {
        var slots = database.Slots();
        var job = NewJob();
        var handle = Handle(await slots.TryClaimAsync(job, Midnight, new() { Info = "first" }, Token));

        await handle.CompleteAsync("7 reports", Token);

        var completed = Assert.IsType<JobSlotResult.Completed>(await slots.TryClaimAsync(job, Midnight, new() { Mode = JobSlotMode.AtLeastOnce }, Token));
        Assert.Equal((handle.ClaimId, "first", "7 reports", Midnight), (completed.ClaimId, completed.By, completed.Outcome, completed.Slot));
        Assert.True(completed.At > handle.ClaimedAt);
    }

    [Fact]
    public async Task Jobs_and_slots_do_not_disturb_each_other()
    {
        var slots = database.Slots();
        var job = NewJob();
        Handle(await slots.TryClaimAsync(job, Midnight, cancellationToken: Token));
        Handle(await slots.TryClaimAsync(job, Midnight.AddHours(1), cancellationToken: Token));
        Handle(await slots.TryClaimAsync(NewJob(), Midnight, cancellationToken: Token));
    }

    [Fact]
    public async Task The_same_moment_in_another_offset_is_the_same_slot()
    {
        var slots = database.Slots();
        var job = NewJob();
        var inBerlin = new DateTimeOffset(2026, 1, 5, 1, 0, 0, TimeSpan.FromHours(1));

        Assert.Equal(TimeSpan.Zero, Handle(await slots.TryClaimAsync(job, inBerlin, cancellationToken: Token)).Slot.Offset);
        Assert.IsType<JobSlotResult.AlreadyClaimed>(await slots.TryClaimAsync(job, Midnight, cancellationToken: Token));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    [InlineData(20_000_000)]
    public async Task The_slot_of_a_schedule_is_the_current_one_by_the_databases_clock(int originMinutes)
    {
        // A stride so long that the test can't run over its end, but for one moment in ten years.
        var schedule = JobSchedule.Every(TimeSpan.FromDays(3650), DateTimeOffset.UnixEpoch.AddMinutes(originMinutes));
        var handle = Handle(await database.Slots().TryClaimAsync(NewJob(), schedule, cancellationToken: Token));
        Assert.Equal(schedule.SlotAt(handle.ClaimedAt), handle.Slot);
    }

    [Fact]
    public async Task The_next_slot_of_a_schedule_can_be_claimed_when_its_time_has_come()
    {
        var slots = database.Slots();
        var job = NewJob();
        var schedule = JobSchedule.Every(TimeSpan.FromMicroseconds(1));
        var first = Handle(await slots.TryClaimAsync(job, schedule, cancellationToken: Token));
        var second = Handle(await slots.TryClaimAsync(job, schedule, cancellationToken: Token));
        Assert.True(first.Slot < second.Slot);
    }

    [Fact]
    public async Task Fencing_tokens_rise_with_the_attempt_and_with_the_slot()
    {
        var slots = database.Slots();
        var job = NewJob();
        var options = new JobSlotOptions { Mode = JobSlotMode.AtLeastOnce };
        var first = Handle(await slots.TryClaimAsync(job, Midnight, options, Token));
        await database.ExpireAsync(job);
        var again = Handle(await slots.TryClaimAsync(job, Midnight, options, Token));
        var next = Handle(await slots.TryClaimAsync(job, Midnight.AddMilliseconds(1), options, Token));

        Assert.True(0 < first.FencingToken && first.FencingToken < again.FencingToken && again.FencingToken < next.FencingToken);
        var last = DateTimeOffset.MaxValue.AddTicks(-9);
        Assert.True(Handle(await slots.TryClaimAsync(job, last, options, Token)).FencingToken > next.FencingToken);
        Assert.Equal(1, Handle(await slots.TryClaimAsync(job, DateTimeOffset.UnixEpoch, options, Token)).FencingToken);
    }

    [Fact]
    public async Task The_table_is_an_entity_like_any_other()
    {
        var job = NewJob();
        var handle = Handle(await database.Slots().TryClaimAsync(job, Midnight, cancellationToken: Token));
        await using var db = database.Open();
        var row = await db.Set<JobSlot>().SingleAsync(s => s.Job == job, Token);
        Assert.Equal((handle.ClaimId, handle.ExpiresAt, null), (row.ClaimedBy, row.ExpiresAt, row.CompletedAt));
    }
}
