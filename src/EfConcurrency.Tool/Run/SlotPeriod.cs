using EfConcurrency.JobSlots;

namespace EfConcurrency.Tool.Run;

/// <summary>
/// Which slot a call of cron means. It begins a little early: cron starts a job on all machines when their clocks say so, some a moment before the database's clock says
/// the same. If the slot began on the minute, these would take the slot before, and the job would run twice. Half a minute is never the time of a line in a crontab.
/// </summary>
internal static class SlotPeriod
{
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(30);

    /// <param name="every">Distance of two slots.</param>
    /// <param name="now">By the database's clock.</param>
    public static DateTimeOffset SlotAt(TimeSpan every, DateTimeOffset now)
        => JobSchedule.Every(every).SlotAt(now + (every / 2 < Early ? every / 2 : Early));
}
