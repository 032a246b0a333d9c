using EfConcurrency.Inbox;
using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers handlers of this process as receivers of the outbox.</summary>
public static class InProcessTransportServiceCollectionExtensions
{
    /// <summary>
    /// Lets the dispatcher of the outbox give messages to handlers in this process. Each consumer is a sink of its own (<c>handlers:billing</c>): it goes on,
    /// retries and gives up by itself. A message for which a consumer has no handler is passed over.
    /// </summary>
    /// <typeparam name="TContext">The context of the handlers, see <c>AddMessageHandlers</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="consumers">Names of consumers, 1 to 91 characters. Each is given messages one by one; for several in a transaction, see the other form.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">A name is empty or too long, or there is none.</exception>
    public static IServiceCollection AddInProcessTransport<TContext>(this IServiceCollection services, params string[] consumers)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(consumers);
        if (consumers.Length == 0)
        {
            throw new ArgumentException("Name the consumers that are to be given messages.", nameof(consumers));
        }

        foreach (var consumer in consumers)
        {
            services.AddInProcessTransport<TContext>(consumer, static _ => { });
        }

        return services;
    }

    /// <summary>Like the other form, for one consumer.</summary>
    /// <typeparam name="TContext">The context of the handlers, see <c>AddMessageHandlers</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="consumer">Name of the consumer, 1 to 91 characters.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IServiceCollection AddInProcessTransport<TContext>(this IServiceCollection services, string consumer, Action<InProcessTransportOptions> configure)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        InboxKey.CheckConsumer(consumer);
        var longest = InboxKey.MaxConsumerLength - InProcessTransport<TContext>.SinkPrefix.Length;
        if (consumer.Length > longest)
        {
            throw new ArgumentException($"The consumer's name has {consumer.Length} characters. With '{InProcessTransport<TContext>.SinkPrefix}' before it it is the name of a sink, so it may have {longest}.", nameof(consumer));
        }

        var options = new InProcessTransportOptions();
        configure(options);
        options.Check();
        return services.AddSingleton<IOutboxTransport>(provider =>
        {
            var catalog = provider.GetService<HandlerCatalog<TContext>>() ?? throw MessageHandlerNotFoundException.NoConsumer(consumer, typeof(TContext).Name);
            return new InProcessTransport<TContext>(
                catalog.Consumer(consumer), options, catalog, provider.GetRequiredService<IInboxProcessor<TContext>>(), provider.GetRequiredService<IServiceScopeFactory>());
        });
    }
}
