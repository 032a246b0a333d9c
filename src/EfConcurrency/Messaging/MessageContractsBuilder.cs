using System.Text.Json.Serialization.Metadata;

namespace EfConcurrency.Messaging;

/// <summary>Names the messages of a context.</summary>
public sealed class MessageContractsBuilder
{
    private readonly List<MessageContract> _contracts = [];
    private IMessageSerializer _serializer = new JsonMessageSerializer();

    internal MessageContractsBuilder()
    {
    }

    /// <summary>Names a type of message.</summary>
    /// <typeparam name="TMessage">The type.</typeparam>
    /// <param name="name">Its stable name with a version, for example <c>order.placed.v2</c>; 1 to 200 characters.</param>
    /// <param name="topic">Where it goes. Default: the name without its last part, <c>order.placed</c>.</param>
    /// <param name="typeInfo">From a <c>JsonSerializerContext</c>, to write it without reflection.</param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long, or the name or the type is registered already.</exception>
    public MessageContractsBuilder Add<TMessage>(string name, string? topic = null, JsonTypeInfo<TMessage>? typeInfo = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (_contracts.Find(c => c.Name == name || c.MessageType == typeof(TMessage)) is { } taken)
        {
            throw new ArgumentException($"The message '{name}' of {typeof(TMessage).Name} can't be added: '{taken.Name}' of {taken.MessageType.Name} is there already.", nameof(name));
        }

        var end = name.LastIndexOf('.');
        _contracts.Add(new(typeof(TMessage), name, topic ?? (end > 0 ? name[..end] : name), typeInfo));
        return this;
    }

    /// <summary>Replaces System.Text.Json.</summary>
    /// <param name="serializer">One instance for the whole application: contexts with different ones do not share EF's services.</param>
    /// <returns>This builder.</returns>
    public MessageContractsBuilder UseSerializer(IMessageSerializer serializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        _serializer = serializer;
        return this;
    }

    internal MessageContracts Build() => new(_contracts, _serializer);
}
