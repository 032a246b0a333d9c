using System.Runtime.ExceptionServices;
using EfConcurrency.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// <c>WithIdempotency()</c> for MVC: an action or a controller. Runs behind authorization (middleware and MVC's authorization filters), before model binding.
/// Changes the defaults of <c>AddIdempotency</c> where a property is set.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class IdempotentAttribute : Attribute, IAsyncResourceFilter, IAsyncActionFilter, IOperationDescription
{
    private bool? _requireKey;
    private long? _maxRequestBytes;
    private IdempotentEndpoint? _settings;

    /// <inheritdoc cref="IdempotentHttpOptions.RequireKey"/>
    public bool RequireKey
    {
        get => _requireKey ?? true;
        set => _requireKey = value;
    }

    /// <inheritdoc cref="IdempotentHttpOptions.MaxRequestBytes"/>
    public long MaxRequestBytes
    {
        get => _maxRequestBytes ?? 1024 * 1024;
        set => _maxRequestBytes = value;
    }

    /// <inheritdoc/>
    public Task OnResourceExecutionAsync(ResourceExecutingContext context, ResourceExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        _settings ??= IdempotentEndpoint.Of(context.HttpContext.RequestServices, Configure);
        return IdempotentRequest.RunAsync(
            context.HttpContext,
            _settings,
            async () =>
            {
                var executed = await next().ConfigureAwait(false);
                if (executed is { Exception: { } exception, ExceptionHandled: false })
                {
                    ExceptionDispatchInfo.Throw(exception);
                }
            },
            observesHandler: true,
            canRunAgain: false);
    }

    /// <inheritdoc/>
    public Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        HandlerStart.Mark(context.HttpContext);
        return next();
    }

    void IOperationDescription.Describe(OpenApiOperation operation, bool isRead)
    {
        if (!isRead)
        {
            IdempotentEndpoint.DescribeWrite(operation, RequireKey);
        }
    }

    private void Configure(IdempotentHttpOptions options)
    {
        options.RequireKey = _requireKey ?? options.RequireKey;
        options.MaxRequestBytes = _maxRequestBytes ?? options.MaxRequestBytes;
    }
}
