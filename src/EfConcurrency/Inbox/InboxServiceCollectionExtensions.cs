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
    /// <exception cref="ArgumentException">A consumer or one of its handlers is registered twice, or a name can't be used.</exception>
    public static IServiceCollection AddMessageHandlers<TContext>(this IServiceCollection services, Action<MessageHandlersBuilder> configure)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);

        var consumers = Consumers<TContext>(services);
        configure(new MessageHandlersBuilder(services, consumers.Add));
        services.TryAddSingleton<HandlerCatalog<TContext>>();
        services.TryAddSingleton<IInboxProcessor<TContext>, InboxProcessor<TContext>>();
        services.AddHostedService<MessageHandlersCheck<TContext>>();
        services.TryAddSingleton(new InboxCleanupSettings<TContext>(new()));
        AddCleanup<TContext>(services);
        return services;
    }

    /// <summary>
    /// Removes from the inbox, from time to time, what is older than its window. <see cref="AddMessageHandlers{TContext}"/> does so too; call this to
    /// change how, or where only <c>db.Inbox()</c> is used.
    /// </summary>
    /// <typeparam name="TContext">A registered context whose model has <c>HasInbox()</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IServiceCollection AddInboxCleanup<TContext>(this IServiceCollection services, Action<InboxCleanupOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);

        var options = new InboxCleanupOptions();
        configure?.Invoke(options);
        options.Check();
        services.Replace(ServiceDescriptor.Singleton(new InboxCleanupSettings<TContext>(options)));
        AddCleanup<TContext>(services);
        return services;
    }

    private static void AddCleanup<TContext>(IServiceCollection services)
        where TContext : DbContext
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddHostedService<InboxCleanup<TContext>>();
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
