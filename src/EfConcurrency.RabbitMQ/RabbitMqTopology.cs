using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>Exchanges, queues and bindings that are declared, in the order in which they were added, whenever a connection is made. All are durable.</summary>
public sealed class RabbitMqTopology
{
    private readonly List<Func<IChannel, CancellationToken, Task>> _declarations = [];

    internal RabbitMqTopology()
    {
    }

    /// <summary>Declares an exchange.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type"><c>topic</c>, <c>direct</c>, <c>fanout</c> or <c>headers</c>.</param>
    /// <returns>This topology.</returns>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public RabbitMqTopology Exchange(string name, string type = "topic")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentException.ThrowIfNullOrWhiteSpace(type);
        _declarations.Add((channel, token) => channel.ExchangeDeclareAsync(name, type, durable: true, autoDelete: false, cancellationToken: token));
        return this;
    }

    /// <summary>Declares a queue.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="configure">Changes the defaults: a quorum queue with a single active consumer.</param>
    /// <returns>This topology.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public RabbitMqTopology Queue(string name, Action<RabbitMqQueueOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var options = new RabbitMqQueueOptions();
        configure?.Invoke(options);
        var arguments = options.ToArguments();
        _declarations.Add((channel, token) => channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: token));
        return this;
    }

    /// <summary>Lets messages of an exchange come to a queue.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="exchange">The exchange.</param>
    /// <param name="routingKey">The routing key; for a topic exchange a pattern, such as <c>order.*</c> or <c>#</c>.</param>
    /// <returns>This topology.</returns>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public RabbitMqTopology Bind(string queue, string exchange, string routingKey)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(queue);
        ArgumentException.ThrowIfNullOrWhiteSpace(exchange);
        ArgumentNullException.ThrowIfNull(routingKey);
        _declarations.Add((channel, token) => channel.QueueBindAsync(queue, exchange, routingKey, cancellationToken: token));
        return this;
    }

    internal async Task DeclareAsync(IConnection connection, CancellationToken cancellationToken)
    {
        if (_declarations.Count == 0)
        {
            return;
        }

        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            foreach (var declare in _declarations)
            {
                await declare(channel, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
