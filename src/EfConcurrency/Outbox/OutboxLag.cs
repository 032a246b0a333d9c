namespace EfConcurrency.Outbox;

/// <summary>How far a sink is behind.</summary>
/// <param name="Sink">Name of the transport.</param>
/// <param name="Undelivered">Messages of the log that it has not been given, counted up to 1,000,000.</param>
/// <param name="Retrying">Messages that failed or follow one that did.</param>
/// <param name="Delayed">Messages that wait for their time.</param>
/// <param name="Dead">Dead letters.</param>
/// <param name="OldestAge">Age of the oldest message that is undelivered or retrying, by the database's clock; null when there is none. Alert on this.</param>
public sealed record OutboxLag(string Sink, long Undelivered, long Retrying, long Delayed, long Dead, TimeSpan? OldestAge);
