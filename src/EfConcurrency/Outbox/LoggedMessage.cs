using System.Collections.ObjectModel;
using System.Text.Json;
using Npgsql;

namespace EfConcurrency.Outbox;

/// <summary>A message as it was read, from the log or from what is pending.</summary>
internal sealed record LoggedMessage(
    long Id,
    short Lane,
    Guid MessageId,
    string? Key,
    string Topic,
    string Type,
    string? Headers,
    byte[] Payload,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DueAt,
    TimeSpan DueIn,
    int Attempts)
{
    /// <summary>Reads the columns of a message; the first is <paramref name="first"/>.</summary>
    public static LoggedMessage Read(NpgsqlDataReader reader, int first)
        => new(
            reader.GetInt64(first),
            reader.GetInt16(first + 1),
            reader.GetGuid(first + 2),
            Text(reader, first + 3),
            reader.GetString(first + 4),
            reader.GetString(first + 5),
            Text(reader, first + 6),
            reader.GetFieldValue<byte[]>(first + 7),
            reader.GetFieldValue<DateTimeOffset>(first + 8),
            reader.IsDBNull(first + 9) ? null : reader.GetFieldValue<DateTimeOffset>(first + 9),
            reader.IsDBNull(first + 10) ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Clamp(reader.GetDouble(first + 10), -1, 1e9)),
            reader.GetInt32(first + 11));

    public OutboxEnvelope ToEnvelope()
        => new(Id, MessageId, Key, Topic, Type, ReadHeaders(Headers), Payload, CreatedAt, Attempts + 1);

    /// <summary>What is not an object of strings was not written by the library, and must not stop what was: other values become their JSON.</summary>
    private static IReadOnlyDictionary<string, string> ReadHeaders(string? json)
    {
        if (json is null or "{}")
        {
            return ReadOnlyDictionary<string, string>.Empty;
        }

        using var document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : p.Value.GetRawText(), StringComparer.Ordinal)
            : ReadOnlyDictionary<string, string>.Empty;
    }

    private static string? Text(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);
}
