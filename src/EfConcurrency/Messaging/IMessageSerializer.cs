namespace EfConcurrency.Messaging;

/// <summary>How messages become bytes and back.</summary>
public interface IMessageSerializer
{
    /// <summary>Media type of what it writes, for example <c>application/json</c>.</summary>
    string ContentType { get; }

    /// <summary>Writes a message.</summary>
    /// <param name="message">The message, of the type of <paramref name="contract"/>.</param>
    /// <param name="contract">Its contract.</param>
    /// <returns>The payload.</returns>
    byte[] Serialize(object message, MessageContract contract);

    /// <summary>Reads a message.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="contract">The contract that its name stands for.</param>
    /// <returns>The message.</returns>
    object Deserialize(ReadOnlySpan<byte> payload, MessageContract contract);
}
