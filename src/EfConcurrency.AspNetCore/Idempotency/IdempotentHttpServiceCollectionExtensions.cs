using EfConcurrency.AspNetCore.Idempotency;
using Microsoft.EntityFrameworkCore;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers idempotent requests.</summary>
public static class IdempotentHttpServiceCollectionExtensions
{
    /// <summary>
    /// Sets the context in whose database keys are kept and work is done, and the defaults of <c>WithIdempotency()</c>, <c>[Idempotent]</c> and
    /// <c>UseIdempotency()</c>. Whose a key is must be said: <c>AddIdempotency&lt;BankContext&gt;(o => o.ScopeByUser())</c>.
    /// </summary>
    /// <typeparam name="TContext">A registered context whose model has <c>HasIdempotencyKeys()</c>; handlers take the same.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">Scope and defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="IdempotencyScopeException">No scope was set.</exception>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it. Or idempotency is registered already.</exception>
    public static IServiceCollection AddIdempotency<TContext>(this IServiceCollection services, Action<IdempotentHttpOptions> configure)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(s => s.ServiceType == typeof(IdempotencyRegistration)))
        {
            throw new ArgumentException("AddIdempotency was called before. One context keeps the keys of an application; change settings of single endpoints with WithIdempotency(o => …).", nameof(services));
        }

        var registration = new IdempotencyRegistration(typeof(TContext), configure);
        registration.Validate();
        return services.AddSingleton(registration);
    }
}
