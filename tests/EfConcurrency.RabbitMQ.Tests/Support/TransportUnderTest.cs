using EfConcurrency.Outbox;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>The transport as a program gets it.</summary>
internal sealed class TransportUnderTest(ServiceProvider services) : IAsyncDisposable
{
    public IOutboxTransport Transport { get; } = services.GetRequiredService<IOutboxTransport>();

    public RabbitMqConnectionStatus Status => services.GetRequiredService<IRabbitMqStatus>().Connections.Single();

    public static TransportUnderTest Create(Uri broker, Action<RabbitMqTransportOptions>? configure = null)
        => new(new ServiceCollection().AddLogging().AddRabbitMqTransport(o =>
        {
            o.Connection.Uri = broker;
            o.Connection.MinReconnectDelay = TimeSpan.FromMilliseconds(50);
            o.Connection.MaxReconnectDelay = TimeSpan.FromMilliseconds(500);
            configure?.Invoke(o);
        }).BuildServiceProvider());

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
