namespace EfConcurrency.Outbox;

/// <summary>How far a sink has come in a lane, and which dispatcher leads it. The library alone writes it.</summary>
public sealed class OutboxCursor
{
    private OutboxCursor()
    {
    }

    /// <summary>Name of the transport.</summary>
    public string Sink { get; private set; } = null!;

    /// <summary>The lane.</summary>
    public short Lane { get; private set; }

    /// <summary>All that is visible in this snapshot has been delivered (or is pending).</summary>
    public string Snapshot { get; private set; } = null!;

    /// <summary>The snapshot up to which is being delivered now, when that takes several pages; null otherwise.</summary>
    public string? PlannedTo { get; private set; }

    /// <summary>Up to which id <see cref="PlannedTo"/> is done.</summary>
    public long LastId { get; private set; }

    /// <summary>Who leads the lane; null: nobody.</summary>
    public string? Owner { get; private set; }

    /// <summary>Until when, by the database's clock.</summary>
    public DateTimeOffset LeaseUntil { get; private set; }

    /// <summary>Rises with every change of the owner; an acknowledgement with an older one is refused.</summary>
    public long Epoch { get; private set; }
}
