using EfConcurrency.Inbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what handles messages.</summary>
public static class InboxServiceCollectionExtensions
{
    /// <summary>
    /// Registers handlers of messages, and <see cref="IInboxProcessor{TContext}"/> which runs each of them once. Which messages come, and from where, is
    /// a transport's business. May be called several times.
    /// </summary>
    /// <typeparam name="TContext">A context that is registered as a scoped service and whose model has <c>HasInbox()</c>. Handlers take it by constructor.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">Names the consumers and their handlers.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">A consumer or one of its handlers is registered twice.</exception>
    public static IServiceCollection AddMessageHandlers<TContext>(this IServiceCollection services, Action<MessageHandlersBuilder> configure)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);

        var consumers = Consumers<TContext>(services);
        configure(new MessageHandlersBuilder(services, consumers.Add));
        services.TryAddSingleton<HandlerCatalog<TContext>>();
        services.TryAddSingleton<IInboxProcessor<TContext>, InboxProcessor<TContext>>();
        return services;
    }

    private static MessageConsumers<TContext> Consumers<TContext>(IServiceCollection services)
        where TContext : DbContext
    {
        if (services.FirstOrDefault(s => s.ServiceType == typeof(MessageConsumers<TContext>))?.ImplementationInstance is MessageConsumers<TContext> known)
        {
            return known;
        }

        var consumers = new MessageConsumers<TContext>();
        services.AddSingleton(consumers);
        return consumers;
    }
}
