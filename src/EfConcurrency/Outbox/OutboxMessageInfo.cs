namespace EfConcurrency.Outbox;

/// <summary>A message and what became of it, for people who look for it.</summary>
/// <param name="MessageId">Id for consumers.</param>
/// <param name="Id">Id in the log; rises in the order of insertion.</param>
/// <param name="Lane">Its lane.</param>
/// <param name="Key">What it is ordered by; null: by nothing.</param>
/// <param name="Topic">Where it goes.</param>
/// <param name="Type">Name of its contract.</param>
/// <param name="Headers">Headers, a JSON object of strings.</param>
/// <param name="Payload">The content.</param>
/// <param name="CreatedAt">When it was enqueued, by the database's clock.</param>
/// <param name="DueAt">Not to be delivered before; null: at once, or not known because the log has lost it.</param>
/// <param name="Slot">The log's partition that it is in; null: the log has lost it (after one to two days), and it is known because it still waits.</param>
/// <param name="Sinks">What became of it in each sink that serves its lane, by name.</param>
public sealed record OutboxMessageInfo(
    Guid MessageId,
    long Id,
    short Lane,
    string? Key,
    string Topic,
    string Type,
    string? Headers,
    ReadOnlyMemory<byte> Payload,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DueAt,
    short? Slot,
    IReadOnlyList<OutboxMessageDelivery> Sinks);
