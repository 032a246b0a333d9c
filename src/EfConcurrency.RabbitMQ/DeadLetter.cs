using System.Globalization;
using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>The message as it came, with headers that say why it was given up.</summary>
internal static class DeadLetter
{
    private const int LongestError = 1000;

    public static RabbitMqAddress DefaultAddress(string queue) => new("", queue + ".dead");

    public static BasicProperties Create(Delivery delivery, string consumer, string queue, string reason, int attempts, Exception? error)
    {
        var headers = new Dictionary<string, object?>(delivery.Properties.Headers ?? new Dictionary<string, object?>())
        {
            [RabbitMqHeaders.DeadReason] = reason,
            [RabbitMqHeaders.DeadAttempts] = attempts.ToString(CultureInfo.InvariantCulture),
            [RabbitMqHeaders.DeadConsumer] = consumer,
            [RabbitMqHeaders.DeadQueue] = queue,
        };
        if (error is not null)
        {
            headers[RabbitMqHeaders.DeadError] = Shortened($"{error.GetType().Name}: {error.Message}");
        }

        return new BasicProperties(delivery.Properties) { Headers = headers, Persistent = true, Expiration = null };
    }

    private static string Shortened(string text) => text.Length <= LongestError ? text : text[..LongestError] + "…";
}
