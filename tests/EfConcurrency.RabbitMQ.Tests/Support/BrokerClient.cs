using System.Text;
using EfConcurrency.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>A plain client beside what is tested: declares, counts, reads and writes.</summary>
internal sealed class BrokerClient(IConnection connection, IChannel channel) : IAsyncDisposable
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public IChannel Channel => channel;

    public static async Task<BrokerClient> ConnectAsync(LocalRabbitMq broker)
    {
        var connection = await new ConnectionFactory { Uri = broker.Uri, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);
        return new(connection, await connection.CreateChannelAsync(new(true, true), Token));
    }

    public static string NewName(string what) => $"{what}-{Guid.NewGuid():n}";

    public async Task<string> DeclareQueueAsync(Action<RabbitMqQueueOptions>? configure = null)
    {
        var queue = NewName("queue");
        await DeclareQueueAsync(queue, configure);
        return queue;
    }

    public async Task DeclareQueueAsync(string queue, Action<RabbitMqQueueOptions>? configure = null)
    {
        var options = new RabbitMqQueueOptions { Quorum = false, SingleActiveConsumer = false };
        configure?.Invoke(options);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, options.ToArguments(), cancellationToken: Token);
    }

    /// <summary>Messages that are ready; -1 when there is no such queue.</summary>
    public async Task<int> CountAsync(string queue)
    {
        await using var own = await connection.CreateChannelAsync(cancellationToken: Token);
        try
        {
            return (int)(await own.QueueDeclarePassiveAsync(queue, Token)).MessageCount;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason is { ReplyCode: 404 })
        {
            return -1;
        }
    }

    public Task UntilCountIsAsync(string queue, int count) => Eventually.IsTrueAsync(async () => await CountAsync(queue) == count);

    /// <summary>Takes what is in the queue.</summary>
    public async Task<List<Letter>> TakeAllAsync(string queue)
    {
        var all = new List<Letter>();
        while (await channel.BasicGetAsync(queue, autoAck: true, Token) is { } got)
        {
            var headers = (got.BasicProperties.Headers ?? new Dictionary<string, object?>()).Where(h => h.Value is byte[]).ToDictionary(h => h.Key, h => Encoding.UTF8.GetString((byte[])h.Value!));
            all.Add(new(got.BasicProperties.MessageId ?? "", got.BasicProperties.Type ?? "", headers, Encoding.UTF8.GetString(got.Body.Span), got.BasicProperties.Persistent, got.BasicProperties.ContentType));
        }

        return all;
    }

    public async Task SendAsync(string queue, string? messageId, string type, string? key, string body)
    {
        var properties = new BasicProperties { MessageId = messageId, Type = type, Persistent = true, Headers = key is null ? null : new Dictionary<string, object?> { [RabbitMqHeaders.Key] = key } };
        await channel.BasicPublishAsync("", queue, mandatory: true, properties, Encoding.UTF8.GetBytes(body), Token);
    }

    public async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        await connection.DisposeAsync();
    }
}
