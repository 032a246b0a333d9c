namespace EfConcurrency.Outbox;

/// <summary>What the database knows of a sink.</summary>
/// <param name="Sink">Name of the transport.</param>
/// <param name="Lanes">Its lanes in order.</param>
/// <param name="Dispatchers">Dispatchers, also those that ended within the last hour.</param>
public sealed record OutboxSinkState(string Sink, IReadOnlyList<OutboxCursor> Lanes, IReadOnlyList<OutboxOwner> Dispatchers);
