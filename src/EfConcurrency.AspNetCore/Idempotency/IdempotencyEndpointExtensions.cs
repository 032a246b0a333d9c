using EfConcurrency.AspNetCore.Idempotency;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Idempotent endpoints: a minimal API, a group, or all that a <c>Map…</c> call maps.</summary>
public static class IdempotencyEndpointExtensions
{
    /// <summary>
    /// Makes requests with the same <c>Idempotency-Key</c> take effect once: the first one's work, key and response are committed together, before anything
    /// is sent; repetitions get the same status, headers and octets. Runs behind all middleware, so behind authorization, and before binding and endpoint
    /// filters. The handler works on the injected context of <c>AddIdempotency</c>. Safe methods (GET, HEAD, OPTIONS) pass.
    /// </summary>
    /// <typeparam name="TBuilder">An endpoint or a group.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="configure">Changes the defaults of <c>AddIdempotency</c> for it.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static TBuilder WithIdempotency<TBuilder>(this TBuilder builder, Action<IdempotentHttpOptions>? configure = null)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Add(endpoint =>
        {
            endpoint.Metadata.Add(IdempotentEndpoint.Of(endpoint.ApplicationServices, configure));
            endpoint.FilterFactories.Add(static (_, next) => context =>
            {
                HandlerStart.Mark(context.HttpContext);
                return next(context);
            });
        });
        builder.Finally(Wrap);
        return builder;
    }

    /// <summary>Leaves an endpoint out of a group with <c>WithIdempotency()</c>, or out of <c>UseIdempotency()</c>.</summary>
    /// <typeparam name="TBuilder">An endpoint or a group.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static TBuilder WithoutIdempotency<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithMetadata(NotIdempotent.Instance);
    }

    /// <summary>
    /// Makes all endpoints that take POST or PATCH idempotent which say nothing else themselves. Stands behind <c>UseRouting()</c> and <c>UseAuthorization()</c>;
    /// requests are refused with an error when it does not.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <param name="configure">Changes the defaults of <c>AddIdempotency</c>.</param>
    /// <returns><paramref name="app"/>.</returns>
    /// <exception cref="InvalidOperationException">Idempotency is not registered.</exception>
    /// <exception cref="IdempotencyScopeException">There is no scope.</exception>
    public static IApplicationBuilder UseIdempotency(this IApplicationBuilder app, Action<IdempotentHttpOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.UseMiddleware<IdempotencyMiddleware>(IdempotentEndpoint.Of(app.ApplicationServices, configure));
    }

    /// <summary>Once, around everything, with the settings that were given last: the endpoint's before its group's.</summary>
    private static void Wrap(EndpointBuilder endpoint)
    {
        if (endpoint.RequestDelegate is not { } handler || endpoint.Metadata.Contains(Wrapped.Instance))
        {
            return;
        }

        endpoint.Metadata.Add(Wrapped.Instance);
        if (endpoint.Metadata.Contains(NotIdempotent.Instance))
        {
            return;
        }

        if (MvcAuthorization.FindFilter(endpoint.Metadata) is { } filter)
        {
            endpoint.RequestDelegate = context => endpoint.Metadata.OfType<IdempotentAttribute>().Any() || IdempotentRequest.IsSafe(context.Request.Method)
                ? handler(context)
                : throw MvcAuthorization.Refusal(context, filter);
            return;
        }

        var settings = endpoint.Metadata.OfType<IdempotentEndpoint>().Last();
        endpoint.RequestDelegate = context => IdempotentRequest.RunAsync(context, settings, () => handler(context), observesHandler: true, canRunAgain: true);
    }

    private sealed class Wrapped
    {
        public static readonly Wrapped Instance = new();
    }
}
