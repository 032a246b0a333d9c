using EfConcurrency.JobSlots;

namespace EfConcurrency.Tests.JobSlots;

public sealed class JobScheduleTests
{
    private static readonly DateTimeOffset Monday = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("00:00:00", "00:00:00")]
    [InlineData("00:14:59.9999999", "00:00:00")]
    [InlineData("00:15:00", "00:15:00")]
    [InlineData("-00:00:00.0000001", "-00:15:00")]
    [InlineData("-00:15:00", "-00:15:00")]
    public void The_slot_of_a_moment_is_the_last_that_is_not_later(string time, string slot)
        => Assert.Equal(Monday + TimeSpan.Parse(slot, null), JobSchedule.Every(TimeSpan.FromMinutes(15)).SlotAt(Monday + TimeSpan.Parse(time, null)));

    [Fact]
    public void Weeks_start_on_a_Monday_unless_told_otherwise()
    {
        var week = TimeSpan.FromDays(7);
        Assert.Equal(Monday, JobSchedule.Every(week).SlotAt(Monday.AddDays(6.9)));
        Assert.Equal(Monday.AddDays(2), JobSchedule.Every(week, Monday.AddDays(702)).SlotAt(Monday.AddDays(6.9)));
    }

    [Fact]
    public void Slots_are_in_UTC_whatever_the_origin_is_in()
    {
        var schedule = JobSchedule.Every(TimeSpan.FromDays(1), new DateTimeOffset(2026, 1, 5, 2, 0, 0, TimeSpan.FromHours(2)));
        Assert.Equal((Monday, TimeSpan.Zero), (schedule.Origin, schedule.SlotAt(Monday.AddHours(5).ToOffset(TimeSpan.FromHours(9))).Offset));
    }

    [Theory]
    [InlineData(15 * TimeSpan.TicksPerMinute)]
    [InlineData(7 * TimeSpan.TicksPerMicrosecond)]
    [InlineData(3650 * TimeSpan.TicksPerDay)]
    public void The_origin_sent_to_the_server_is_long_past_and_gives_the_same_slots(long stride)
    {
        var schedule = JobSchedule.Every(TimeSpan.FromTicks(stride), new DateTimeOffset(2099, 12, 31, 23, 59, 58, TimeSpan.Zero));
        Assert.True(schedule.EarlyOrigin.Year < 1980);
        Assert.Equal(0, (schedule.Origin - schedule.EarlyOrigin).Ticks % stride);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-TimeSpan.TicksPerHour)]
    [InlineData(1)]
    [InlineData(TimeSpan.TicksPerHour + 3)]
    [InlineData(long.MaxValue)]
    [InlineData((3650 * TimeSpan.TicksPerDay) + TimeSpan.TicksPerMicrosecond)]
    public void A_stride_that_makes_no_sense_is_refused(long ticks)
        => Assert.Equal("stride", Assert.Throws<ArgumentOutOfRangeException>(() => JobSchedule.Every(TimeSpan.FromTicks(ticks))).ParamName);

    [Fact]
    public void An_origin_that_PostgreSQL_cannot_hold_or_that_was_left_unset_is_refused()
    {
        Assert.Equal("origin", Assert.Throws<ArgumentOutOfRangeException>(() => JobSchedule.Every(TimeSpan.FromHours(1), default(DateTimeOffset))).ParamName);
        Assert.Equal("origin", Assert.Throws<ArgumentOutOfRangeException>(() => JobSchedule.Every(TimeSpan.FromHours(1), Monday.AddTicks(1))).ParamName);
    }
}
