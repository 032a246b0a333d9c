using EfConcurrency.AspNetCore.Health;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the health check.</summary>
public static class EfConcurrencyHealthExtensions
{
    /// <summary>
    /// Checks what the library relies on, as far as the model has it: that the server takes writes, that its clock is ours, whether a pooler stands between and how it pools,
    /// that no lease is left without a holder, that no idempotent operation is stuck, that no message waits too long or is a dead letter. A read-only server fails the check; the
    /// rest degrades it.
    /// </summary>
    /// <typeparam name="TContext">A registered context.</typeparam>
    /// <param name="builder">The health checks.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <param name="name">Name of the check; by default <c>efconcurrency</c> and the context.</param>
    /// <param name="failureStatus">What a failure is; by default unhealthy.</param>
    /// <param name="tags">Tags to filter checks by.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static IHealthChecksBuilder AddEfConcurrency<TContext>(
        this IHealthChecksBuilder builder,
        Action<EfConcurrencyHealthOptions>? configure = null,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = new EfConcurrencyHealthOptions();
        configure?.Invoke(options);
        options.Validate();
        return builder.Add(new(
            name ?? $"efconcurrency-{typeof(TContext).Name}",
            p => new EfConcurrencyHealthCheck<TContext>(p.GetRequiredService<IServiceScopeFactory>(), options, p.GetService<TimeProvider>() ?? TimeProvider.System),
            failureStatus,
            tags));
    }
}
