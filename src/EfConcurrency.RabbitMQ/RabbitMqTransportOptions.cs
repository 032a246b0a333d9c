using EfConcurrency.Outbox;

namespace EfConcurrency.RabbitMQ;

/// <summary>Settings of the transport.</summary>
public sealed class RabbitMqTransportOptions
{
    /// <summary>Name under which the outbox keeps the transport's progress: never change it. 1 to 100 characters.</summary>
    /// <value><c>rabbitmq</c></value>
    public string Sink { get; set; } = "rabbitmq";

    /// <summary>How the broker is reached.</summary>
    /// <value>the broker on this machine</value>
    public RabbitMqConnectionOptions Connection { get; } = new();

    /// <summary>What is declared when a connection is made; empty: everything must be there.</summary>
    /// <value>empty</value>
    public RabbitMqTopology Topology { get; } = new();

    /// <summary>The exchange that messages are published to, with their topic as routing key.</summary>
    /// <value>empty: the default exchange, which leads to the queue of the topic's name</value>
    public string Exchange { get; set; } = "";

    /// <summary>Where a message goes, when <see cref="Exchange"/> and topic are not enough.</summary>
    /// <value><see langword="null"/></value>
    public Func<OutboxEnvelope, RabbitMqAddress>? Route { get; set; }

    /// <summary>Messages of a slice that may wait for the broker's confirmation at a time.</summary>
    /// <value>256</value>
    public int MaxOutstandingConfirms { get; set; } = 256;

    /// <summary>Channels at most: as many lanes are sent at a time, others wait.</summary>
    /// <value>8</value>
    public int MaxChannels { get; set; } = 8;

    /// <summary>A connection on which no confirmation arrives for so long, while one is due, is given up: a broker that lacks memory or disk space stops reading.</summary>
    /// <value>30 seconds</value>
    public TimeSpan ConfirmTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Payloads above are rejected before they are sent; must not be above the broker's <c>max_message_size</c> (16 MiB from RabbitMQ 4.0 on).</summary>
    /// <value>16 MiB</value>
    public int MaxMessageBytes { get; set; } = 16 * 1024 * 1024;

    /// <exception cref="ArgumentException">A name is missing or too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Check()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Sink);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Sink.Length, 100, nameof(Sink));
        ArgumentNullException.ThrowIfNull(Exchange);
        Connection.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOutstandingConfirms, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ConfirmTimeout, TimeSpan.FromMilliseconds(100));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessageBytes, 1);
    }
}
