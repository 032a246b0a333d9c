using EfConcurrency.Messaging;

namespace EfConcurrency.Inbox;

/// <summary>A message and who handles it.</summary>
internal sealed record InboxDelivery(InboundMessage Message, InboxKey Key, MessageContract Contract, MessageHandlerEntry Handler)
{
    /// <summary>Reads the message and hands it over. Read anew for each attempt: a handler may have changed the object.</summary>
    /// <exception cref="MessageUnreadableException">The payload is not what the contract says.</exception>
    public Task HandleAsync(IServiceProvider services, string consumer, IMessageSerializer serializer, CancellationToken cancellationToken)
    {
        object message;
        try
        {
            message = serializer.Deserialize(Message.Payload.Span, Contract);
        }
        catch (Exception unreadable)
        {
            throw new MessageUnreadableException(Message.MessageId, Contract, unreadable);
        }

        return Handler.HandleAsync(services, message, new(consumer, Message.MessageId, Message.Type, Message.Key, Message.Headers, Message.Attempt), cancellationToken);
    }
}
