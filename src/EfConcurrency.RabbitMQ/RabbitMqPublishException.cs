namespace EfConcurrency.RabbitMQ;

/// <summary>A message was not published. The transport does not throw it: it is the error of a <see cref="Outbox.SendResult"/>.</summary>
public sealed class RabbitMqPublishException : Exception
{
    internal RabbitMqPublishException(Guid messageId, RabbitMqRefusal refusal, RabbitMqAddress address, string what, Exception? innerException = null)
        : base($"Message {messageId} was not published to exchange '{address.Exchange}' with routing key '{address.RoutingKey}': {what}", innerException)
    {
        MessageId = messageId;
        Refusal = refusal;
        Address = address;
    }

    /// <summary>The message.</summary>
    public Guid MessageId { get; }

    /// <summary>Why.</summary>
    public RabbitMqRefusal Refusal { get; }

    /// <summary>Where it should have gone.</summary>
    public RabbitMqAddress Address { get; }
}
