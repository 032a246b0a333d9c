namespace EfConcurrency.JobSlots;

/// <summary>Which slot: one that the caller names, or the current one of a schedule.</summary>
internal readonly record struct JobSlotTime
{
    private const int MaxJobLength = 200;

    private JobSlotTime(DateTimeOffset slotAt, JobSchedule? schedule)
    {
        SlotAt = slotAt;
        Schedule = schedule;
    }

    /// <summary>The slot, where the caller named it.</summary>
    public DateTimeOffset SlotAt { get; }

    public JobSchedule? Schedule { get; }

    public static JobSlotTime At(DateTimeOffset slot) => new(Normalize(slot, nameof(slot)), schedule: null);

    public static JobSlotTime Current(JobSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return new(default, schedule);
    }

    /// <summary>In UTC; refuses what PostgreSQL can't hold exactly, and what can't be meant.</summary>
    public static DateTimeOffset Normalize(DateTimeOffset time, string parameter)
    {
        if (time < DateTimeOffset.UnixEpoch)
        {
            throw new ArgumentOutOfRangeException(parameter, time, "The time is before 1970. Was it left unset? For a job that runs once ever, use DateTimeOffset.UnixEpoch.");
        }

        if (time.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            throw new ArgumentOutOfRangeException(
                parameter, time, "The time is finer than a microsecond, which PostgreSQL can't hold: it looks like the reading of a clock. A slot is what all runners compute alike; see JobSchedule.");
        }

        return time.ToUniversalTime();
    }

    public static void CheckJob(string job)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(job);
        if (job.Length > MaxJobLength)
        {
            throw new ArgumentException($"The name of the job has {job.Length} characters; at most {MaxJobLength} are possible. Give the job a short name of its own.", nameof(job));
        }

        if (job.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("The name of the job contains the character U+0000, which PostgreSQL can't store.", nameof(job));
        }
    }
}
