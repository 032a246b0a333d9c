using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what delivers the outbox.</summary>
public static class OutboxServiceCollectionExtensions
{
    /// <summary>
    /// Delivers the outbox of a context to every registered <see cref="IOutboxTransport"/>. Any number of processes may do so; they share the lanes.
    /// A message is delivered at least once, and in order with others of its key.
    /// </summary>
    /// <typeparam name="TContext">A registered context whose model has <c>HasOutbox()</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The context has a dispatcher already.</exception>
    public static IServiceCollection AddOutboxDispatcher<TContext>(this IServiceCollection services, Action<OutboxDispatcherOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(s => s.ServiceType == typeof(OutboxDispatcher<TContext>)))
        {
            throw new InvalidOperationException($"AddOutboxDispatcher<{typeof(TContext).Name}>() was called already. One dispatcher serves all transports.");
        }

        var options = new OutboxDispatcherOptions();
        configure?.Invoke(options);
        options.Check();

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(p => new OutboxDispatcher<TContext>(
            options, p.GetRequiredService<IServiceScopeFactory>(), p.GetServices<IOutboxTransport>(), p.GetRequiredService<ILoggerFactory>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IHostedService>(p => p.GetRequiredService<OutboxDispatcher<TContext>>());
        return services;
    }
}
