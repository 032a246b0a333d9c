using System.Collections.Concurrent;

namespace EfConcurrency.RabbitMQ;

/// <summary>All connections of the process.</summary>
internal sealed class RabbitMqStatus : IRabbitMqStatus
{
    private readonly ConcurrentDictionary<RabbitMqConnection, bool> _connections = new();

    public IReadOnlyList<RabbitMqConnectionStatus> Connections => [.. _connections.Keys.Select(c => c.Status).OrderBy(s => s.Name, StringComparer.Ordinal)];

    public void Add(RabbitMqConnection connection) => _connections[connection] = true;

    public void Remove(RabbitMqConnection connection) => _connections.TryRemove(connection, out _);
}
