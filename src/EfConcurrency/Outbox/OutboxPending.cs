namespace EfConcurrency.Outbox;

/// <summary>A message that a sink could not be given at once: failed, delayed or dead. The library alone writes it.</summary>
public sealed class OutboxPending
{
    private OutboxPending()
    {
    }

    /// <summary>Name of the transport.</summary>
    public string Sink { get; private set; } = null!;

    /// <summary>Id of the message in the log.</summary>
    public long Id { get; private set; }

    /// <summary>Its lane.</summary>
    public short Lane { get; private set; }

    /// <summary>Id for consumers.</summary>
    public Guid MessageId { get; private set; }

    /// <summary>What messages are ordered by.</summary>
    public string? Key { get; private set; }

    /// <summary>Where it goes.</summary>
    public string Topic { get; private set; } = null!;

    /// <summary>Name of its contract.</summary>
    public string Type { get; private set; } = null!;

    /// <summary>Headers, a JSON object of strings.</summary>
    public string? Headers { get; private set; }

    /// <summary>The content.</summary>
    public byte[] Payload { get; private set; } = null!;

    /// <summary>When it was enqueued.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it is tried next, by the database's clock.</summary>
    public DateTimeOffset DueAt { get; private set; }

    /// <summary>Deliveries that failed.</summary>
    public int Attempts { get; private set; }

    /// <summary>What the last one failed with.</summary>
    public string? LastError { get; private set; }

    /// <summary>Why it waits.</summary>
    public OutboxPendingState State { get; private set; }
}
