namespace EfConcurrency.Inbox;

/// <summary>How what the inbox need not remember any more is removed.</summary>
public sealed class InboxCleanupOptions
{
    /// <summary>Whether this process does it. It needs the right to TRUNCATE the partitions and to DELETE. Any number of processes may.</summary>
    /// <value><see langword="true"/></value>
    public bool IsEnabled { get; set; } = true;

    /// <summary>Time between two rounds, 1 second to 12 hours: a day's partition can be emptied for some 21 hours before it is needed again.</summary>
    /// <value>1 hour</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromHours(1);

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        if (Interval < TimeSpan.FromSeconds(1) || Interval > TimeSpan.FromHours(12))
        {
            throw new ArgumentOutOfRangeException(nameof(Interval), Interval, "InboxCleanupOptions.Interval must be 1 second to 12 hours.");
        }
    }
}
