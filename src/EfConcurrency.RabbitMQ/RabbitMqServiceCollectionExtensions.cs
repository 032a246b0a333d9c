using EfConcurrency.Inbox;
using EfConcurrency.Outbox;
using EfConcurrency.RabbitMQ;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers RabbitMQ as a way out of the outbox, and into the inbox.</summary>
public static class RabbitMqServiceCollectionExtensions
{
    /// <summary>
    /// Publishes what the outbox dispatches: persistent, mandatory, with confirmations, in the order of each key. A message that no queue is bound for is a dead letter of the outbox;
    /// one that the broker refuses is tried again; while the broker is down, messages wait.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the broker, the exchange, what to declare.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">A name is missing or too long, or the URI is not one of AMQP.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IServiceCollection AddRabbitMqTransport(this IServiceCollection services, Action<RabbitMqTransportOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new RabbitMqTransportOptions();
        configure(options);
        options.Check();
        AddShared(services);
        services.AddSingleton<IOutboxTransport>(p => new RabbitMqTransport(options, p.GetRequiredService<RabbitMqStatus>(), Logger(p), p.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>
    /// Receives from a queue and runs the handlers through the inbox, each message once; it is acknowledged after the commit. A failure is tried again in place, while the later
    /// messages of its key wait; what can't succeed is published as a dead letter.
    /// </summary>
    /// <typeparam name="TContext">The context whose model has <c>HasInbox()</c>, with handlers added by <c>AddMessageHandlers</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="consumer">Name under which the inbox remembers messages: never change it. 1 to 100 characters.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="configure">Sets the broker, what to declare, limits.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">A name is missing, too long or registered already, or the URI is not one of AMQP.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IServiceCollection AddRabbitMqConsumer<TContext>(this IServiceCollection services, string consumer, string queue, Action<RabbitMqConsumerOptions> configure)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(consumer);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(consumer.Length, 100, nameof(consumer));
        ArgumentException.ThrowIfNullOrWhiteSpace(queue);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(s => s.ServiceType == typeof(RabbitMqConsumer<TContext>) && Equals(s.ServiceKey, (consumer, queue))))
        {
            throw new ArgumentException($"The consumer '{consumer}' of queue '{queue}' is registered already. Raise RabbitMqConsumerOptions.Concurrency to handle more at a time.", nameof(consumer));
        }

        var options = new RabbitMqConsumerOptions();
        configure(options);
        options.Check();
        if (options is { DeadLetter: null, DeclareDeadLetterQueue: true })
        {
            options.Topology.Queue(DeadLetter.DefaultAddress(queue).RoutingKey, q => q.SingleActiveConsumer = false);
        }

        AddShared(services);
        services.AddKeyedSingleton((consumer, queue), (p, _) => new RabbitMqConsumer<TContext>(
            consumer, queue, options, Processor<TContext>(p, consumer), p.GetRequiredService<RabbitMqStatus>(), Logger(p), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IHostedService>(p => p.GetRequiredKeyedService<RabbitMqConsumer<TContext>>((consumer, queue)));
        return services;
    }

    private static void AddShared(IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RabbitMqStatus>();
        services.TryAddSingleton<IRabbitMqStatus>(p => p.GetRequiredService<RabbitMqStatus>());
    }

    private static ILogger Logger(IServiceProvider provider) => provider.GetRequiredService<ILoggerFactory>().CreateLogger(RabbitMqLog.Category);

    private static IInboxProcessor<TContext> Processor<TContext>(IServiceProvider provider, string consumer)
        where TContext : DbContext
        => provider.GetService<IInboxProcessor<TContext>>() ?? throw new InvalidOperationException(
            $"The consumer '{consumer}' has no handlers. Call services.AddMessageHandlers<{typeof(TContext).Name}>(…) beside AddRabbitMqConsumer<{typeof(TContext).Name}>.");
}
