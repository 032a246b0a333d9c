using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>The channel that deliveries came from, as far as their handling knows it.</summary>
internal interface IDeliveryAnswers
{
    /// <summary>Tells the broker that the delivery is done with.</summary>
    Task AckAsync(ulong tag, CancellationToken cancellationToken);

    /// <summary>Publishes a dead letter, waits for its confirmation, and acknowledges the delivery.</summary>
    Task BuryAsync(Delivery delivery, BasicProperties letter, RabbitMqAddress address, CancellationToken cancellationToken);
}
