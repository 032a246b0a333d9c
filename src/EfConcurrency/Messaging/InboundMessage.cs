namespace EfConcurrency.Messaging;

/// <summary>A message as a transport delivers it, before it is read.</summary>
/// <param name="MessageId">The producer's id: a UUID of this library, or any text of a foreign producer.</param>
/// <param name="Type">The contract's name.</param>
/// <param name="Key">What messages are ordered by, or null.</param>
/// <param name="Headers">Headers as sent; names are case-sensitive and lower-case, see <see cref="MessageHeaders"/>.</param>
/// <param name="Payload">The bytes; valid only until the delivery is answered.</param>
/// <param name="Attempt">1 at the first delivery, as far as the transport knows.</param>
public sealed record InboundMessage(
    string MessageId, string Type, string? Key, IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte> Payload, int Attempt = 1);
