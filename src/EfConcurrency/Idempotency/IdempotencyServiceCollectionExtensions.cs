using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the service that deletes expired idempotency keys.</summary>
public static class IdempotencyServiceCollectionExtensions
{
    /// <summary>Deletes expired keys in the background, and counts the operations that are stuck. May run in every process.</summary>
    /// <typeparam name="TContext">A registered context whose model has <c>HasIdempotencyKeys()</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IServiceCollection AddIdempotencyCleanup<TContext>(this IServiceCollection services, Action<IdempotencyCleanupOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new IdempotencyCleanupOptions();
        configure?.Invoke(options);
        options.Check();

        services.TryAddSingleton(TimeProvider.System);
        services.AddHostedService(p => new IdempotencyCleanup<TContext>(
            options, p.GetRequiredService<IServiceScopeFactory>(), p.GetRequiredService<ILoggerFactory>(), p.GetRequiredService<TimeProvider>()));
        return services;
    }
}
