namespace EfConcurrency.RabbitMQ;

/// <summary>Whether the broker is connected, for health checks. A singleton.</summary>
public interface IRabbitMqStatus
{
    /// <summary>The connection of each transport and consumer that has been started.</summary>
    IReadOnlyList<RabbitMqConnectionStatus> Connections { get; }
}
