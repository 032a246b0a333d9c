using Microsoft.Extensions.Logging;

namespace EfConcurrency.RabbitMQ;

/// <summary>Log messages.</summary>
internal static partial class RabbitMqLog
{
    public const string Category = "EfConcurrency.RabbitMQ";

    [LoggerMessage(RabbitMqEventIds.Connected, LogLevel.Information, "{Connection}: connected to RabbitMQ at {Broker}.", EventName = Category + ".Connected")]
    public static partial void Connected(ILogger logger, string connection, string broker);

    [LoggerMessage(RabbitMqEventIds.ConnectionLost, LogLevel.Warning, "{Connection}: the connection to RabbitMQ at {Broker} ended: {Reason}.", EventName = Category + ".ConnectionLost")]
    public static partial void ConnectionLost(ILogger logger, string connection, string broker, string reason);

    [LoggerMessage(RabbitMqEventIds.ConnectFailed, LogLevel.Warning, "{Connection}: RabbitMQ at {Broker} can't be reached, or its topology not declared; next attempt in {Delay} s.", EventName = Category + ".ConnectFailed")]
    public static partial void ConnectFailed(ILogger logger, string connection, string broker, double delay, Exception exception);

    [LoggerMessage(RabbitMqEventIds.ChannelClosed, LogLevel.Warning, "{Connection}: RabbitMQ closed a channel: {Reason}.", EventName = Category + ".ChannelClosed")]
    public static partial void ChannelClosed(ILogger logger, string connection, string reason);

    [LoggerMessage(RabbitMqEventIds.MessageRefused, LogLevel.Debug, "{Connection}: message {MessageId} was not published ({Refusal}).", EventName = Category + ".MessageRefused")]
    public static partial void MessageRefused(ILogger logger, string connection, Guid messageId, RabbitMqRefusal refusal, Exception exception);

    [LoggerMessage(RabbitMqEventIds.ConsumerStarted, LogLevel.Information, "Consumer {Consumer} receives from queue {Queue}.", EventName = Category + ".ConsumerStarted")]
    public static partial void ConsumerStarted(ILogger logger, string consumer, string queue);

    [LoggerMessage(RabbitMqEventIds.ConsumerFailed, LogLevel.Warning, "Consumer {Consumer} can't receive from queue {Queue}; next attempt in {Delay} s.", EventName = Category + ".ConsumerFailed")]
    public static partial void ConsumerFailed(ILogger logger, string consumer, string queue, double delay, Exception exception);

    [LoggerMessage(RabbitMqEventIds.MessageFailed, LogLevel.Debug, "Consumer {Consumer}: message {MessageId} ({Type}) failed at attempt {Attempt}; again in {Delay} s.", EventName = Category + ".MessageFailed")]
    public static partial void MessageFailed(ILogger logger, string consumer, string messageId, string type, int attempt, double delay, Exception? exception);

    [LoggerMessage(RabbitMqEventIds.MessageDead, LogLevel.Error, "Consumer {Consumer}: message {MessageId} ({Type}) is a dead letter after {Attempts} attempts: {Reason}.", EventName = Category + ".MessageDead")]
    public static partial void MessageDead(ILogger logger, string consumer, string messageId, string type, int attempts, string reason, Exception? exception);

    [LoggerMessage(RabbitMqEventIds.DeadLetterNotPublished, LogLevel.Error, "Consumer {Consumer}: the dead letter {MessageId} could not be published to exchange '{Exchange}' with routing key '{RoutingKey}'. It is kept, and its key waits; again in {Delay} s.", EventName = Category + ".DeadLetterNotPublished")]
    public static partial void DeadLetterNotPublished(ILogger logger, string consumer, string messageId, string exchange, string routingKey, double delay, Exception exception);

    [LoggerMessage(RabbitMqEventIds.HandlersStillRunning, LogLevel.Warning, "Consumer {Consumer}: {Count} handlers ignore their cancellation; the consumer goes on without them.", EventName = Category + ".HandlersStillRunning")]
    public static partial void HandlersStillRunning(ILogger logger, string consumer, int count);

    [LoggerMessage(RabbitMqEventIds.DatabaseUnavailable, LogLevel.Warning, "Consumer {Consumer}: message {MessageId} waits for the database, which is not available; again in {Delay} s. This is not counted as an attempt.", EventName = Category + ".DatabaseUnavailable")]
    public static partial void DatabaseUnavailable(ILogger logger, string consumer, string messageId, double delay, Exception? exception);
}
