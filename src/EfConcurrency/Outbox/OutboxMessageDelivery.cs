namespace EfConcurrency.Outbox;

/// <summary>What became of a message in one sink.</summary>
/// <param name="Sink">Name of the transport.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Attempts">Deliveries that failed.</param>
/// <param name="LastError">What the last one failed with.</param>
/// <param name="DueAt">When it is tried next, by the database's clock; null when it does not wait.</param>
/// <param name="Following">Later messages of its key that wait beside the log: those behind this one, if it is the first.</param>
/// <param name="Behind">The first waiting or dead message of its key, when that is another and earlier one; null: there is none.</param>
public sealed record OutboxMessageDelivery(
    string Sink, OutboxMessageState State, int Attempts, string? LastError, DateTimeOffset? DueAt, long Following, Guid? Behind);
