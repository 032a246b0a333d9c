namespace EfConcurrency.Messaging;

/// <summary>The payload of a message is not what its contract says.</summary>
public sealed class MessageUnreadableException : Exception
{
    internal MessageUnreadableException(string messageId, MessageContract contract, Exception inner)
        : base($"The payload of message {messageId} can't be read as '{contract.Name}' ({contract.MessageType.Name}): {inner.Message}", inner)
    {
        MessageId = messageId;
        Type = contract.Name;
    }

    /// <summary>The message's id.</summary>
    public string MessageId { get; }

    /// <summary>Name of its contract.</summary>
    public string Type { get; }
}
