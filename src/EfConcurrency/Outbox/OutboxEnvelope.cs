namespace EfConcurrency.Outbox;

/// <summary>A message on its way to a transport.</summary>
/// <param name="Id">Position in the log; rises within a key.</param>
/// <param name="MessageId">Id for consumers, to recognise a duplicate by.</param>
/// <param name="Key">What messages are ordered by, or null.</param>
/// <param name="Topic">Where it goes.</param>
/// <param name="Type">Name of its contract.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Payload">Its content.</param>
/// <param name="CreatedAt">When it was enqueued.</param>
/// <param name="Attempt">1 at the first delivery; deliveries that ended without an answer are not counted.</param>
public sealed record OutboxEnvelope(
    long Id,
    Guid MessageId,
    string? Key,
    string Topic,
    string Type,
    IReadOnlyDictionary<string, string> Headers,
    ReadOnlyMemory<byte> Payload,
    DateTimeOffset CreatedAt,
    int Attempt = 1);
