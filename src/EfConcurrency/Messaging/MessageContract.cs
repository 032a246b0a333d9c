using System.Text.Json.Serialization.Metadata;

namespace EfConcurrency.Messaging;

/// <summary>The name under which a type of message travels. Consumers know the name, never the CLR type.</summary>
/// <param name="MessageType">The CLR type.</param>
/// <param name="Name">The stable name with its version, for example <c>order.placed.v2</c>.</param>
/// <param name="Topic">Where it goes: the transport's address (an exchange, a routing key).</param>
/// <param name="TypeInfo">How System.Text.Json writes it without reflection; null: by reflection.</param>
public sealed record MessageContract(Type MessageType, string Name, string Topic, JsonTypeInfo? TypeInfo);
