namespace EfConcurrency.RabbitMQ;

/// <summary>Why a single message was not published.</summary>
public enum RabbitMqRefusal
{
    /// <summary>No queue is bound for its routing key: the broker returned it.</summary>
    Unroutable,

    /// <summary>The broker did not take it (<c>basic.nack</c>): a queue is full, or failed.</summary>
    Nacked,

    /// <summary>It is larger than allowed: by <see cref="RabbitMqTransportOptions.MaxMessageBytes"/>, by the broker, or its headers by AMQP's frame.</summary>
    TooLarge,

    /// <summary>AMQP can't express it: a name of more than 255 bytes, for example.</summary>
    Inexpressible,

    /// <summary>The broker closed the channel over it: no such exchange (404), or no permission (403).</summary>
    Address,
}
