using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary><c>UseIdempotency()</c>: all POST and PATCH endpoints that have no settings of their own.</summary>
internal sealed class IdempotencyMiddleware(RequestDelegate next, IdempotentEndpoint settings)
{
    /// <summary>How ASP.NET Core's own middleware tell each other that authorization has run for the endpoint.</summary>
    private const string AuthorizationHasRun = "__AuthorizationMiddlewareWithEndpointInvoked";

    public Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method) && !HttpMethods.IsPatch(context.Request.Method))
        {
            return next(context);
        }

        if (context.GetEndpoint() is not { } endpoint
            || endpoint.Metadata.GetMetadata<NotIdempotent>() is not null
            || endpoint.Metadata.GetMetadata<IdempotentEndpoint>() is not null
            || endpoint.Metadata.GetMetadata<IdempotentAttribute>() is not null)
        {
            return next(context);
        }

        if (MvcAuthorization.FindFilter(endpoint.Metadata) is { } filter)
        {
            throw MvcAuthorization.Refusal(context, filter);
        }

        return !context.Items.ContainsKey(AuthorizationHasRun) && context.RequestServices.GetService(typeof(IAuthorizationService)) is not null
            ? throw new InvalidOperationException(
                "UseIdempotency() stands before UseAuthorization(), so a stored response could be sent to someone who may not see it. Call UseRouting(), UseAuthentication() and UseAuthorization() first.")
            : IdempotentRequest.RunAsync(context, settings, () => next(context), observesHandler: false, canRunAgain: true);
    }
}
