using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>A channel and the connection it belongs to.</summary>
internal sealed record PublishChannel(IConnection Connection, IChannel Channel);
