namespace EfConcurrency.Outbox;

/// <summary>What became of a message, for the meter.</summary>
internal enum OutboxOutcome
{
    Delivered,
    Retried,
    Followed,
    Dead,
}
