namespace EfConcurrency.Messaging;

/// <summary>What a handler is told about the message beside its content.</summary>
/// <param name="Consumer">The consumer on whose behalf it is handled.</param>
/// <param name="MessageId">The producer's id.</param>
/// <param name="Type">The contract's name.</param>
/// <param name="Key">What messages are ordered by, or null.</param>
/// <param name="Headers">Headers as sent.</param>
/// <param name="Attempt">1 at the first delivery, as far as the transport knows.</param>
public sealed record MessageContext(
    string Consumer, string MessageId, string Type, string? Key, IReadOnlyDictionary<string, string> Headers, int Attempt);
