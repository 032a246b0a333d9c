using System.Globalization;
using System.Text;
using EfConcurrency.Messaging;
using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>A message as it was delivered, copied out of the client's buffers.</summary>
/// <param name="Tag">Answers it; valid on its own channel only.</param>
/// <param name="Properties">Its properties.</param>
/// <param name="Message">The same in the terms of the inbox.</param>
/// <param name="Earlier">Deliveries before this one, as far as the broker counts them.</param>
internal sealed record Delivery(ulong Tag, IReadOnlyBasicProperties Properties, InboundMessage Message, int Earlier)
{
    private const string DeliveryCount = "x-delivery-count";

    public static Delivery Create(ulong tag, IReadOnlyBasicProperties properties, ReadOnlySpan<byte> body)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in properties.Headers ?? new Dictionary<string, object?>())
        {
            if (Text(value) is { } text)
            {
                headers[name] = text;
            }
        }

        if (properties.IsContentTypePresent())
        {
            headers.TryAdd(MessageHeaders.ContentType, properties.ContentType!);
        }

        var earlier = long.TryParse(headers.GetValueOrDefault(DeliveryCount), CultureInfo.InvariantCulture, out var count) ? (int)Math.Clamp(count, 0, int.MaxValue - 1) : 0;
        var message = new InboundMessage(
            properties.MessageId ?? headers.GetValueOrDefault(MessageHeaders.CloudEventsPrefix + "id", ""),
            properties.Type ?? headers.GetValueOrDefault(MessageHeaders.CloudEventsPrefix + "type", ""),
            headers.GetValueOrDefault(RabbitMqHeaders.Key),
            headers,
            body.ToArray(),
            earlier + 1);
        return new(tag, Snapshot(properties), message, earlier);
    }

    /// <summary>The client uses its own object again.</summary>
    private static BasicProperties Snapshot(IReadOnlyBasicProperties properties) => new(properties);

    /// <summary>What AMQP has as text, number or truth; tables and lists are not passed on.</summary>
    private static string? Text(object? value) => value switch
    {
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        string text => text,
        AmqpTimestamp time => DateTimeOffset.FromUnixTimeSeconds(time.UnixTime).ToString("O", CultureInfo.InvariantCulture),
        IFormattable or bool => Convert.ToString(value, CultureInfo.InvariantCulture),
        _ => null,
    };
}
