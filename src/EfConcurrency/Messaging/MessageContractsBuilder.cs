using System.Buffers;
using System.Text.Json.Serialization.Metadata;

namespace EfConcurrency.Messaging;

/// <summary>Names the messages of a context.</summary>
public sealed class MessageContractsBuilder
{
    private const int MaxLength = 200;

    private static readonly SearchValues<char> Characters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/:");

    private readonly List<MessageContract> _contracts = [];
    private IMessageSerializer _serializer = new JsonMessageSerializer();

    internal MessageContractsBuilder()
    {
    }

    /// <summary>Names a type of message.</summary>
    /// <typeparam name="TMessage">The type.</typeparam>
    /// <param name="name">Its stable name with a version, for example <c>order.placed.v2</c>; 1 to 200 of <c>a-z A-Z 0-9 . - _ / :</c>, which every broker takes.</param>
    /// <param name="topic">Where it goes; the same characters. Default: the name without its last part, <c>order.placed</c>.</param>
    /// <param name="typeInfo">
    /// From the <c>Default</c> of a <c>JsonSerializerContext</c>, to write it without reflection. One of a new instance makes contexts that do not share EF's services.
    /// </param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">The name or the topic is empty, too long or has other characters, the type is abstract, or the name or the type is registered already.</exception>
    public MessageContractsBuilder Add<TMessage>(string name, string? topic = null, JsonTypeInfo<TMessage>? typeInfo = null)
    {
        Check(name, nameof(name));
        if (topic is not null)
        {
            Check(topic, nameof(topic));
        }

        if (typeof(TMessage).IsAbstract)
        {
            throw new ArgumentException($"'{typeof(TMessage).Name}' can't have the contract '{name}': a contract is of one exact type, and no object is of an abstract one.", nameof(name));
        }

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

    private static void Check(string text, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, parameter);
        if (text.Length > MaxLength || text.AsSpan().ContainsAnyExcept(Characters))
        {
            throw new ArgumentException($"'{text}' can't be the {parameter} of a message: 1 to {MaxLength} of a-z A-Z 0-9 . - _ / : are allowed. Use a name with a version, such as 'order.placed.v1'.", parameter);
        }
    }
}
