namespace EfConcurrency.JobSlots;

/// <summary>
/// Slots at equal distances. Which one is current is decided by the database's clock, in the statement that claims it, so that the clocks
/// of the runners need not agree. A stride is a length of time and knows no time zone: for "at 2:00 in Berlin" let a cron library compute
/// the slot, and pass that.
/// </summary>
public sealed class JobSchedule
{
    private static readonly TimeSpan LongestStride = TimeSpan.FromDays(3650);

    /// <summary>A Monday, so that strides of weeks start on one.</summary>
    private static readonly DateTimeOffset DefaultOrigin = new(2001, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private JobSchedule(TimeSpan stride, DateTimeOffset origin)
    {
        Stride = stride;
        Origin = origin;
    }

    /// <summary>Distance of two slots.</summary>
    public TimeSpan Stride { get; }

    /// <summary>One of the slots, in UTC.</summary>
    public DateTimeOffset Origin { get; }

    /// <summary>One slot every <paramref name="stride"/>.</summary>
    /// <param name="stride">Distance of two slots: a whole number of microseconds, up to 3650 days.</param>
    /// <param name="origin">One of the slots, in the past or the future. The default is Monday, 2001-01-01 00:00 UTC.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The stride is not positive, over 3650 days or finer than a microsecond; or the origin is before 1970 or finer than a microsecond.</exception>
    public static JobSchedule Every(TimeSpan stride, DateTimeOffset? origin = null)
    {
        if (stride <= TimeSpan.Zero || stride > LongestStride)
        {
            throw new ArgumentOutOfRangeException(nameof(stride), stride, "The stride must be positive and at most 3650 days.");
        }

        if (stride.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(stride), stride, "The stride must be a whole number of microseconds: PostgreSQL knows nothing finer.");
        }

        return new(stride, JobSlotTime.Normalize(origin ?? DefaultOrigin, nameof(origin)));
    }

    /// <summary>The slot that is current at <paramref name="time"/>: the last one that is not later.</summary>
    /// <param name="time">Any moment, in any offset.</param>
    /// <returns>The slot, in UTC.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no slot so early.</exception>
    public DateTimeOffset SlotAt(DateTimeOffset time)
    {
        var distance = (time - Origin).Ticks;
        var strides = Math.DivRem(distance, Stride.Ticks, out var rest) - (rest < 0 ? 1 : 0);
        return Origin.AddTicks(strides * Stride.Ticks);
    }

    /// <summary>The same slots, counted from one that is long past: <c>date_bin</c> is never asked about a time before its origin.</summary>
    internal DateTimeOffset EarlyOrigin => DateTimeOffset.UnixEpoch.AddTicks((Origin - DateTimeOffset.UnixEpoch).Ticks % Stride.Ticks);
}
