using EfConcurrency.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EfConcurrency.Inbox;

/// <summary>Registers the handlers of consumers.</summary>
public sealed class MessageHandlersBuilder
{
    private readonly IServiceCollection _services;
    private readonly Func<string, MessageConsumerOptions, MessageConsumer> _add;
    private MessageConsumer? _consumer;

    internal MessageHandlersBuilder(IServiceCollection services, Func<string, MessageConsumerOptions, MessageConsumer> add)
    {
        _services = services;
        _add = add;
    }

    /// <summary>Begins a consumer, to which the handlers that follow belong. Each consumer handles a message once, whatever the others do.</summary>
    /// <param name="name">Its name, 1 to 100 characters. What it has handled is kept under it, so it must never change.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">The name is empty, too long, or registered already.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public MessageHandlersBuilder Consumer(string name, Action<MessageConsumerOptions>? configure = null)
    {
        InboxKey.CheckConsumer(name);
        var options = new MessageConsumerOptions();
        configure?.Invoke(options);
        options.Retry.Validate();
        _consumer = _add(name, options);
        return this;
    }

    /// <summary>Adds a handler to the consumer. It is resolved from the scope of each message; when it is not registered as a service, it is registered as a scoped one.</summary>
    /// <typeparam name="TMessage">A type of message with a contract.</typeparam>
    /// <typeparam name="THandler">Its handler.</typeparam>
    /// <returns>This builder.</returns>
    /// <exception cref="ArgumentException">The consumer has a handler for this type already.</exception>
    /// <exception cref="InvalidOperationException">No consumer was begun.</exception>
    public MessageHandlersBuilder Handle<TMessage, THandler>()
        where TMessage : notnull
        where THandler : class, IMessageHandler<TMessage>
    {
        if (_consumer is null)
        {
            throw new InvalidOperationException($"Handle<{typeof(TMessage).Name}, {typeof(THandler).Name}>() belongs to a consumer. Call Consumer(\"…\") first.");
        }

        _consumer.Add(MessageHandlerEntry.Of<TMessage, THandler>());
        _services.TryAddScoped<THandler>();
        return this;
    }
}
