namespace EfConcurrency.RabbitMQ;

/// <summary>Where a message is published.</summary>
/// <param name="Exchange">The exchange; empty: the default exchange, which leads to the queue of the routing key's name.</param>
/// <param name="RoutingKey">The routing key, at most 255 bytes in UTF-8.</param>
public readonly record struct RabbitMqAddress(string Exchange, string RoutingKey);
