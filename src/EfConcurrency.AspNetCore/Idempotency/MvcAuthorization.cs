using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Filters;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// MVC runs authorization filters within the endpoint. Around an endpoint that has one, a stored response would be sent to someone whom the filter refuses;
/// <see cref="IdempotentAttribute"/> runs behind it.
/// </summary>
internal static class MvcAuthorization
{
    /// <summary>The filter that decides who may call an action; null when all is decided before the endpoint.</summary>
    /// <param name="metadata">The endpoint's.</param>
    public static string? FindFilter(IEnumerable<object> metadata)
        => metadata.OfType<ActionDescriptor>().SelectMany(a => a.FilterDescriptors).Select(f => TypeOf(f.Filter)).FirstOrDefault(IsAuthorization)?.Name;

    public static InvalidOperationException Refusal(HttpContext context, string filter) => new(
        $"'{context.GetEndpoint()?.DisplayName}' has the authorization filter {filter}, which would run behind a stored response. Nothing was done. Put [Idempotent] on the action or its controller, or make the filter a policy.");

    private static Type TypeOf(IFilterMetadata filter) => filter switch
    {
        TypeFilterAttribute made => made.ImplementationType,
        ServiceFilterAttribute service => service.ServiceType,
        _ => filter.GetType(),
    };

    private static bool IsAuthorization(Type filter) => typeof(IAuthorizationFilter).IsAssignableFrom(filter) || typeof(IAsyncAuthorizationFilter).IsAssignableFrom(filter);
}
