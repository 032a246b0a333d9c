namespace EfConcurrency.RabbitMQ;

/// <summary>How a queue is declared. A queue that exists with other settings is refused by the broker (406).</summary>
public sealed class RabbitMqQueueOptions
{
    /// <summary>A replicated queue, whose messages survive the loss of a node (https://www.rabbitmq.com/docs/quorum-queues); otherwise a classic, durable one.</summary>
    /// <value><see langword="true"/></value>
    public bool Quorum { get; set; } = true;

    /// <summary>
    /// The broker delivers to one consumer at a time, and to the next when that is gone: with several processes, the only way to keep the order of a key
    /// (https://www.rabbitmq.com/docs/consumers#single-active-consumer).
    /// </summary>
    /// <value><see langword="true"/></value>
    public bool SingleActiveConsumer { get; set; } = true;

    /// <summary>Messages it holds at most; further ones are refused (<c>reject-publish</c>), so that they wait in the outbox. Null: no limit.</summary>
    /// <value><see langword="null"/></value>
    public int? MaxLength { get; set; }

    /// <summary>Where the broker itself puts what it drops (expired, or delivered too often for a quorum queue's own limit). Null: nowhere.</summary>
    /// <value><see langword="null"/></value>
    public RabbitMqAddress? DeadLetter { get; set; }

    /// <summary>Further arguments, by their names in RabbitMQ.</summary>
    /// <value>none</value>
    public IDictionary<string, object?> Arguments { get; } = new Dictionary<string, object?>();

    internal Dictionary<string, object?> ToArguments()
    {
        var arguments = new Dictionary<string, object?> { ["x-queue-type"] = Quorum ? "quorum" : "classic" };
        if (SingleActiveConsumer)
        {
            arguments["x-single-active-consumer"] = true;
        }

        if (MaxLength is { } length)
        {
            arguments["x-max-length"] = length;
            arguments["x-overflow"] = "reject-publish";
        }

        if (DeadLetter is { } deadLetter)
        {
            arguments["x-dead-letter-exchange"] = deadLetter.Exchange;
            arguments["x-dead-letter-routing-key"] = deadLetter.RoutingKey;
        }

        foreach (var (name, value) in Arguments)
        {
            arguments[name] = value;
        }

        return arguments;
    }
}
