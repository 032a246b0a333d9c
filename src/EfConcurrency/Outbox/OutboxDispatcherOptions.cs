namespace EfConcurrency.Outbox;

/// <summary>Settings of an outbox dispatcher. Those of all processes of a sink should be the same.</summary>
public sealed class OutboxDispatcherOptions
{
    /// <summary>Most messages that a transport is given at a time, 1 to 10,000.</summary>
    /// <value>500</value>
    public int BatchSize { get; set; } = 500;

    /// <summary>About how many bytes of payload a lane holds in memory at a time; a single message may be larger.</summary>
    /// <value>4 MiB</value>
    public int MaxBatchBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// How many messages of a backlog are planned at a time, for all lanes of a sink: 32 bytes of memory each. Fewer make a large backlog
    /// slower, because each plan looks at all of it. 1,000 or more.
    /// </summary>
    /// <value>200,000</value>
    public int MaxPlanned { get; set; } = 200_000;

    /// <summary>How long a lane is led without a sign of life. After a crash, another takes over when it is over. 1 second or more.</summary>
    /// <value>15 seconds</value>
    public TimeSpan LeaseLength { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Most lanes that this process leads for a sink; null: its fair share.</summary>
    /// <value><see langword="null"/></value>
    public int? MaxLanes { get; set; }

    /// <summary>How soon the log is read again after something was found; the pause doubles while nothing is.</summary>
    /// <value>20 milliseconds</value>
    public TimeSpan MinPollInterval { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest pause between two reads. Messages of other processes, without <see cref="Notify"/>, are at most this late.</summary>
    /// <value>1 second</value>
    public TimeSpan MaxPollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long acknowledgements are collected; what is sent in it is sent again after a crash. Shorter bloats the cursors' table.</summary>
    /// <value>50 milliseconds</value>
    public TimeSpan AckInterval { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a transport may take for a batch; then its call is cancelled, and it counts as down.</summary>
    /// <value>5 minutes</value>
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>After how many failed deliveries a message is a dead letter.</summary>
    /// <value>10</value>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>The pause after a first failure; it doubles with each, and half of it is random.</summary>
    /// <value>1 second</value>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause after a failure.</summary>
    /// <value>5 minutes</value>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether a dead letter holds back the later messages of its key until an operator replays or purges it.</summary>
    /// <value><see langword="false"/>: they go on without it</value>
    public bool DeadLetterHoldsKey { get; set; }

    /// <summary>Where a sink begins that has no cursors yet.</summary>
    /// <value><see cref="OutboxStart.Beginning"/></value>
    public OutboxStart StartAt { get; set; } = OutboxStart.Beginning;

    /// <summary>
    /// Whether processes wake each other by NOTIFY: from a connection of its own and only when a quiet outbox gets busy, never in the transactions
    /// that enqueue. Has no effect behind a pooler.
    /// </summary>
    /// <value><see langword="false"/></value>
    public bool Notify { get; set; }

    /// <summary>Whether partitions of the log that everybody has read are emptied.</summary>
    /// <value><see langword="true"/></value>
    public bool EmptyPartitions { get; set; } = true;

    internal Dictionary<string, Func<string, bool>> Filters { get; } = new(StringComparer.Ordinal);

    /// <summary>Gives a sink only some topics; it passes over the others. Default: all.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="topic">Whether the sink gets messages of a topic.</param>
    /// <returns>These options.</returns>
    public OutboxDispatcherOptions FilterTopics(string sink, Func<string, bool> topic)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sink);
        ArgumentNullException.ThrowIfNull(topic);
        Filters[sink] = topic;
        return this;
    }

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        Range(BatchSize, 1, 10_000, nameof(BatchSize));
        Range(MaxBatchBytes, 1024, int.MaxValue, nameof(MaxBatchBytes));
        Range(MaxPlanned, 1000, int.MaxValue, nameof(MaxPlanned));
        Range(MaxLanes ?? 1, 1, short.MaxValue, nameof(MaxLanes));
        Range(MaxAttempts, 1, 1_000_000, nameof(MaxAttempts));
        Range(LeaseLength, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), nameof(LeaseLength));
        Range(MinPollInterval, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1), nameof(MinPollInterval));
        Range(MaxPollInterval, MinPollInterval, TimeSpan.FromMinutes(1), nameof(MaxPollInterval));
        Range(AckInterval, TimeSpan.FromMilliseconds(1), LeaseLength / 3, nameof(AckInterval));
        Range(SendTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1), nameof(SendTimeout));
        Range(RetryDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1), nameof(RetryDelay));
        Range(MaxRetryDelay, RetryDelay, TimeSpan.FromDays(30), nameof(MaxRetryDelay));
    }

    private static void Range<T>(T value, T least, T most, string name)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(name, value, $"OutboxDispatcherOptions.{name} must be {least} to {most}.");
        }
    }
}
