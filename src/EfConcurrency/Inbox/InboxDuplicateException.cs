using EfConcurrency.Resilience;

namespace EfConcurrency.Inbox;

/// <summary>The save was to accept a message that the consumer has handled before. Nothing was saved: acknowledge the message and go on.</summary>
public sealed class InboxDuplicateException : Exception, IFinalRefusal
{
    internal InboxDuplicateException(string consumer, string messageId, Exception inner)
        : base($"The consumer '{consumer}' has handled the message '{messageId}' before. Nothing was saved; acknowledge the message, and dispose the context.", inner)
    {
        Consumer = consumer;
        MessageId = messageId;
    }

    /// <summary>Who has handled it.</summary>
    public string Consumer { get; }

    /// <summary>The message's id, as it was sent.</summary>
    public string MessageId { get; }
}
