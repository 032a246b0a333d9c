namespace EfConcurrency.Outbox;

/// <summary>A message in the log. Rows are only ever added, and go with their whole partition. The library alone writes them.</summary>
public sealed class OutboxRecord
{
    private OutboxRecord()
    {
    }

    /// <summary>Rises in the order of insertion; of two messages with the same key, the earlier has the lower one.</summary>
    public long Id { get; private set; }

    /// <summary>The transaction that enqueued it: whether a reader has seen it is told by its snapshot, not by the id.</summary>
    public ulong TransactionId { get; private set; }

    /// <summary>The partition: day of insertion modulo 3.</summary>
    public short Slot { get; private set; }

    /// <summary>The lane in which it is delivered: one dispatcher at a time, in order. Made from <see cref="Key"/>.</summary>
    public short Lane { get; private set; }

    /// <summary>Id for consumers, made by the enqueuing process (UUID version 7).</summary>
    public Guid MessageId { get; private set; }

    /// <summary>When it was enqueued: the start of the transaction, by the database's clock.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Not to be delivered before; null: at once.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>What messages are ordered by; null: in no order.</summary>
    public string? Key { get; private set; }

    /// <summary>Where it goes.</summary>
    public string Topic { get; private set; } = null!;

    /// <summary>Name of its contract.</summary>
    public string Type { get; private set; } = null!;

    /// <summary>Headers, a JSON object of strings.</summary>
    public string? Headers { get; private set; }

    /// <summary>The content.</summary>
    public byte[] Payload { get; private set; } = null!;
}
