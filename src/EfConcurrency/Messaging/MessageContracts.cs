using System.Diagnostics.CodeAnalysis;

namespace EfConcurrency.Messaging;

/// <summary>All contracts of a context. Two with the same content are equal, so that contexts that are configured alike share what is made from them.</summary>
public sealed class MessageContracts : IEquatable<MessageContracts>
{
    internal static readonly MessageContracts None = new([], new JsonMessageSerializer());

    private readonly Dictionary<Type, MessageContract> _byType;
    private readonly Dictionary<string, MessageContract> _byName;
    private readonly int _hashCode;

    internal MessageContracts(IReadOnlyCollection<MessageContract> contracts, IMessageSerializer serializer)
    {
        _byType = contracts.ToDictionary(c => c.MessageType);
        _byName = contracts.ToDictionary(c => c.Name, StringComparer.Ordinal);
        Serializer = serializer;
        _hashCode = _byName.Keys.Aggregate(_byName.Count, (hash, name) => hash ^ name.GetHashCode(StringComparison.Ordinal));
    }

    /// <summary>How messages become bytes.</summary>
    public IMessageSerializer Serializer { get; }

    /// <summary>The contract of a CLR type; a derived type does not have its base's.</summary>
    /// <param name="messageType">The CLR type.</param>
    /// <param name="contract">The contract, when there is one.</param>
    /// <returns>Whether the type is registered.</returns>
    public bool TryFind(Type messageType, [NotNullWhen(true)] out MessageContract? contract) => _byType.TryGetValue(messageType, out contract);

    /// <summary>The contract of a name.</summary>
    /// <param name="name">The stable name.</param>
    /// <param name="contract">The contract, when there is one.</param>
    /// <returns>Whether the name is registered.</returns>
    public bool TryFind(string name, [NotNullWhen(true)] out MessageContract? contract) => _byName.TryGetValue(name, out contract);

    /// <inheritdoc />
    public bool Equals(MessageContracts? other)
        => ReferenceEquals(this, other)
            || (other is not null
                && Serializer.Equals(other.Serializer)
                && _byName.Count == other._byName.Count
                && _byName.All(c => other._byName.TryGetValue(c.Key, out var contract) && contract == c.Value));

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as MessageContracts);

    /// <inheritdoc />
    public override int GetHashCode() => _hashCode;
}
