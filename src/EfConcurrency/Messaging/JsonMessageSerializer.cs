using System.Text.Json;

namespace EfConcurrency.Messaging;

/// <summary>System.Text.Json with its defaults for the web. All instances are equal.</summary>
internal sealed class JsonMessageSerializer : IMessageSerializer
{
    public string ContentType => "application/json";

    public byte[] Serialize(object message, MessageContract contract)
        => contract.TypeInfo is { } typeInfo
            ? JsonSerializer.SerializeToUtf8Bytes(message, typeInfo)
            : JsonSerializer.SerializeToUtf8Bytes(message, contract.MessageType, JsonSerializerOptions.Web);

    public object Deserialize(ReadOnlySpan<byte> payload, MessageContract contract)
        => (contract.TypeInfo is { } typeInfo
                ? JsonSerializer.Deserialize(payload, typeInfo)
                : JsonSerializer.Deserialize(payload, contract.MessageType, JsonSerializerOptions.Web))
            ?? throw new JsonException($"The payload of a message '{contract.Name}' is null.");

    public override bool Equals(object? obj) => obj is JsonMessageSerializer;

    public override int GetHashCode() => typeof(JsonMessageSerializer).GetHashCode();
}
