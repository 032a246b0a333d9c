using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>How a broker is reached. The transport and each consumer have a connection of their own: a broker that slows publishers down must not slow consumers.</summary>
public sealed class RabbitMqConnectionOptions
{
    /// <summary>The broker, with user name, password and virtual host: <c>amqps://user:password@host/vhost</c>.</summary>
    /// <value><c>amqp://guest:guest@localhost:5672/</c></value>
    public Uri Uri { get; set; } = new("amqp://guest:guest@localhost:5672/");

    /// <summary>Further nodes of the cluster, as <c>host</c> or <c>host:port</c>; one is chosen at random at each attempt.</summary>
    /// <value>none</value>
    public IList<string> FurtherHosts { get; } = [];

    /// <summary>How long an attempt to connect may take.</summary>
    /// <value>10 seconds</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A peer that was not heard of for twice as long is taken for dead (https://www.rabbitmq.com/docs/heartbeats).</summary>
    /// <value>10 seconds</value>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause after the first failure; it doubles with each further one, and half of it is random.</summary>
    /// <value>250 milliseconds</value>
    public TimeSpan MinReconnectDelay { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause. A connection that lived longer than this is not held against the broker when it ends.</summary>
    /// <value>15 seconds</value>
    public TimeSpan MaxReconnectDelay { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Changes what the client library offers beside: TLS, authentication, limits. Recovery by the client library stays off: the library reconnects itself.</summary>
    /// <value><see langword="null"/></value>
    public Action<ConnectionFactory>? Configure { get; set; }

    /// <exception cref="ArgumentException">The URI is not one of AMQP, or a host is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(Uri);
        if (Uri.Scheme is not ("amqp" or "amqps"))
        {
            throw new ArgumentException($"RabbitMqConnectionOptions.Uri must begin with amqp:// or amqps://, not with {Uri.Scheme}://.", nameof(Uri));
        }

        foreach (var host in FurtherHosts)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(host, nameof(FurtherHosts));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(ConnectTimeout, TimeSpan.FromMilliseconds(100));
        ArgumentOutOfRangeException.ThrowIfLessThan(Heartbeat, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(MinReconnectDelay, TimeSpan.FromMilliseconds(10));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxReconnectDelay, MinReconnectDelay);
    }

    internal ConnectionFactory ToFactory()
    {
        var factory = new ConnectionFactory { Uri = Uri, RequestedConnectionTimeout = ConnectTimeout, RequestedHeartbeat = Heartbeat };
        Configure?.Invoke(factory);
        factory.AutomaticRecoveryEnabled = false;
        factory.TopologyRecoveryEnabled = false;
        return factory;
    }

    internal List<AmqpTcpEndpoint> Endpoints(ConnectionFactory factory)
        => [factory.Endpoint, .. FurtherHosts.Select(h => Endpoint(factory, h))];

    private static AmqpTcpEndpoint Endpoint(ConnectionFactory factory, string host)
    {
        var endpoint = AmqpTcpEndpoint.Parse(host);
        return new(endpoint.HostName, endpoint.Port, factory.Ssl.Enabled ? new SslOption(endpoint.HostName, enabled: true) : new SslOption());
    }
}
