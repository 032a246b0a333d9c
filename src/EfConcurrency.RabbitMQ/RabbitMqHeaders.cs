namespace EfConcurrency.RabbitMQ;

/// <summary>Headers that the transport and the consumer add to a message's own.</summary>
public static class RabbitMqHeaders
{
    /// <summary>What messages are ordered by.</summary>
    /// <value><c>efc-key</c></value>
    public const string Key = "efc-key";

    /// <summary>Of a dead letter: <c>rejected</c>, <c>attempts</c> (as often tried as allowed) or <c>deliveries</c> (its consumer died of it, or was cut off, as often as allowed).</summary>
    /// <value><c>efc-dead-reason</c></value>
    public const string DeadReason = "efc-dead-reason";

    /// <summary>Of a dead letter: the last error, shortened.</summary>
    /// <value><c>efc-dead-error</c></value>
    public const string DeadError = "efc-dead-error";

    /// <summary>Of a dead letter: how often it was tried.</summary>
    /// <value><c>efc-dead-attempts</c></value>
    public const string DeadAttempts = "efc-dead-attempts";

    /// <summary>Of a dead letter: the consumer that gave it up.</summary>
    /// <value><c>efc-dead-consumer</c></value>
    public const string DeadConsumer = "efc-dead-consumer";

    /// <summary>Of a dead letter: the queue it was taken from; publish it there again to replay it.</summary>
    /// <value><c>efc-dead-queue</c></value>
    public const string DeadQueue = "efc-dead-queue";
}
