using System.Text;
using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>A message in AMQP's terms.</summary>
internal sealed class OutgoingMessage
{
    /// <summary>The longest short string of AMQP 0-9-1 (4.2.5.3).</summary>
    private const int ShortString = 255;

    private OutgoingMessage(OutboxEnvelope envelope, RabbitMqAddress address, BasicProperties properties)
        => (Envelope, Address, Properties) = (envelope, address, properties);

    public OutboxEnvelope Envelope { get; }

    public RabbitMqAddress Address { get; }

    public BasicProperties Properties { get; }

    /// <summary>The message, or why it can't be one. What the broker would close a channel or a connection over is refused here: it would take others down with it.</summary>
    public static (OutgoingMessage? Message, RabbitMqPublishException? Refused) Create(OutboxEnvelope envelope, RabbitMqTransportOptions options, uint frameMax)
    {
        var address = new RabbitMqAddress(options.Exchange, envelope.Topic);
        try
        {
            address = options.Route?.Invoke(envelope) ?? address;
        }
        catch (Exception failure)
        {
            return (null, new(envelope.MessageId, RabbitMqRefusal.Inexpressible, address, "RabbitMqTransportOptions.Route failed.", failure));
        }

        RabbitMqPublishException Refuse(RabbitMqRefusal refusal, string what) => new(envelope.MessageId, refusal, address, what);
        if (envelope.Payload.Length > options.MaxMessageBytes)
        {
            return (null, Refuse(RabbitMqRefusal.TooLarge, $"its payload has {envelope.Payload.Length} bytes, more than MaxMessageBytes ({options.MaxMessageBytes}). Send a reference instead."));
        }

        var contentType = envelope.Headers.GetValueOrDefault(MessageHeaders.ContentType);
        foreach (var (what, text) in (ReadOnlySpan<(string, string?)>)[("exchange", address.Exchange), ("routing key", address.RoutingKey), ("type", envelope.Type), ("content type", contentType)])
        {
            if (text is not null && Encoding.UTF8.GetByteCount(text) > ShortString)
            {
                return (null, Refuse(RabbitMqRefusal.Inexpressible, $"its {what} has more than {ShortString} bytes."));
            }
        }

        if (envelope.Headers.Keys.FirstOrDefault(n => Encoding.UTF8.GetByteCount(n) > ShortString) is { } name)
        {
            return (null, Refuse(RabbitMqRefusal.Inexpressible, $"the name of its header {name[..30]}… has more than {ShortString} bytes."));
        }

        var headers = Headers(envelope);
        return HeaderFrame.Fits(headers, frameMax)
            ? (new(envelope, address, ToProperties(envelope, headers, contentType)), null)
            : (null, Refuse(RabbitMqRefusal.TooLarge, $"its headers do not fit in a frame ({frameMax} bytes). Put them into the payload."));
    }

    private static Dictionary<string, object?> Headers(OutboxEnvelope envelope)
    {
        // Room for the number that the client library adds, and for its trace context.
        var headers = new Dictionary<string, object?>(envelope.Headers.Count + 4);
        foreach (var (name, value) in envelope.Headers)
        {
            headers[name] = value;
        }

        if (envelope.Key is { } key)
        {
            headers[RabbitMqHeaders.Key] = key;
        }

        return headers;
    }

    private static BasicProperties ToProperties(OutboxEnvelope envelope, Dictionary<string, object?> headers, string? contentType)
    {
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = envelope.MessageId.ToString(),
            Type = envelope.Type,
            Timestamp = new(envelope.CreatedAt.ToUnixTimeSeconds()),
            Headers = headers,
        };
        if (contentType is not null)
        {
            properties.ContentType = contentType;
        }

        return properties;
    }
}
