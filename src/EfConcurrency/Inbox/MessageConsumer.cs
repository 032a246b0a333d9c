namespace EfConcurrency.Inbox;

/// <summary>A consumer as it was registered.</summary>
internal sealed class MessageConsumer(string name, MessageConsumerOptions options)
{
    private readonly Dictionary<Type, MessageHandlerEntry> _handlers = [];

    public string Name => name;

    public MessageConsumerOptions Options => options;

    public IEnumerable<Type> MessageTypes => _handlers.Keys;

    public MessageHandlerEntry? Find(Type messageType) => _handlers.GetValueOrDefault(messageType);

    /// <exception cref="ArgumentException">The type has a handler already.</exception>
    public void Add(MessageHandlerEntry handler)
    {
        if (!_handlers.TryAdd(handler.MessageType, handler))
        {
            throw new ArgumentException(
                $"Consumer '{name}' has a handler for {handler.MessageType.Name} already. A message is handled once per consumer: give the second handler a consumer of its own, or call it from the first.");
        }
    }
}
