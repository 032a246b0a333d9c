using EfConcurrency.AspNetCore.Problems;
using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary><c>WithETag()</c> on a minimal API.</summary>
internal sealed class EntityTagFilter(EntityTagSource source) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        object? result;
        try
        {
            result = await next(context).ConfigureAwait(false);
        }
        catch (Exception exception) when (PreconditionCheck.Find(http, exception) is { } failed)
        {
            return ProblemResponse.Result(http, failed);
        }

        var (status, value) = HandlerResult.Of(result);
        return status is >= 200 and < 300 && source.TagOf(http, value) is { } tag && PreconditionCheck.IsNotModified(http, tag)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : result;
    }
}
