namespace EfConcurrency.Inbox;

/// <summary>A message came for which this process has no handler.</summary>
public sealed class MessageHandlerNotFoundException : Exception
{
    private MessageHandlerNotFoundException(string message, string consumer, string? type)
        : base(message)
    {
        Consumer = consumer;
        Type = type;
    }

    /// <summary>Who was to handle it.</summary>
    public string Consumer { get; }

    /// <summary>Name of the message's contract; null when no message of the consumer can be handled.</summary>
    public string? Type { get; }

    internal static MessageHandlerNotFoundException NoConsumer(string consumer, string context)
        => new($"There is no consumer '{consumer}'. Register it with services.AddMessageHandlers<{context}>(h => h.Consumer(\"{consumer}\").Handle<…>()).", consumer, null);

    internal static MessageHandlerNotFoundException NoContract(string consumer, string type, string context)
        => new($"Consumer '{consumer}' got a message '{type}', a name without a contract. Register it on the options of {context}: UseEfConcurrency(o => o.UseMessages(m => m.Add<…>(\"{type}\"))).", consumer, type);

    internal static MessageHandlerNotFoundException NoHandler(string consumer, string type)
        => new($"Consumer '{consumer}' has no handler for messages '{type}'. Add one with Handle<…>(), or don't route such messages to it.", consumer, type);
}
