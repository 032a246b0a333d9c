using System.Text;
using System.Text.Json;
using EfConcurrency.Outbox;

namespace EfConcurrency.Tool.Outbox;

/// <summary>A message with what became of it, as it is shown. Its content only when that was asked for.</summary>
internal sealed record MessageRow(
    Guid MessageId,
    long Id,
    short Lane,
    short? Partition,
    string Topic,
    string Type,
    string? Key,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DueAt,
    IReadOnlyDictionary<string, string?> Headers,
    int PayloadBytes,
    string? Payload,
    bool? IsPayloadCut,
    IReadOnlyList<OutboxMessageDelivery> Sinks)
{
    /// <summary>Enough to recognise a message by, and no flood.</summary>
    private const int MostPayload = 4096;

    public static MessageRow Of(OutboxMessageInfo message, bool withPayload) => new(
        message.MessageId,
        message.Id,
        message.Lane,
        message.Slot,
        message.Topic,
        message.Type,
        message.Key,
        message.CreatedAt,
        message.DueAt,
        message.Headers is null ? new Dictionary<string, string?>() : JsonSerializer.Deserialize<Dictionary<string, string?>>(message.Headers)!,
        message.Payload.Length,
        withPayload ? Text(message.Payload.Span) : null,
        withPayload ? message.Payload.Length > MostPayload : null,
        message.Sinks);

    /// <summary>As text where it is that, without what would move a terminal's cursor; otherwise its octets.</summary>
    private static string Text(ReadOnlySpan<byte> payload)
    {
        var part = payload.Length > MostPayload ? payload[..MostPayload] : payload;
        var text = Encoding.UTF8.GetString(part);
        var hasControls = text.Any(c => char.IsControl(c) && c is not ('\n' or '\t' or '\r'));

        // The cut may go through a character; anything else that is no UTF-8 is no text.
        return hasControls || text.AsSpan(0, Math.Max(0, text.Length - 3)).Contains('\uFFFD') ? $"0x{Convert.ToHexStringLower(part)}" : text;
    }
}
