using EfConcurrency.Messaging;

namespace EfConcurrency.Outbox;

/// <summary>A message that waits for a save.</summary>
/// <param name="Contract">Its contract.</param>
/// <param name="Id">Id for consumers.</param>
/// <param name="Lane">Its lane.</param>
/// <param name="Key">What it is ordered by, or null.</param>
/// <param name="Headers">A JSON object of strings.</param>
/// <param name="Payload">The content.</param>
/// <param name="DelayMicroseconds">Counted from the save; null: none.</param>
internal sealed record OutboxMessage(MessageContract Contract, Guid Id, short Lane, string? Key, string Headers, byte[] Payload, long? DelayMicroseconds);
