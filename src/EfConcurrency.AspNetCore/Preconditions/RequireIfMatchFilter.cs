using EfConcurrency.AspNetCore.Problems;
using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary><c>RequireIfMatch()</c> on a minimal API.</summary>
internal sealed class RequireIfMatchFilter(bool allowCreate) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        try
        {
            if (!PreconditionCheck.IsGiven(http, allowCreate))
            {
                return ProblemResponse.Result(http, new PreconditionRequiredException(allowCreate));
            }

            var result = await next(context).ConfigureAwait(false);
            PreconditionCheck.ThrowIfIgnored(http, HandlerResult.Of(result).Status);
            return result;
        }
        catch (MalformedHeaderException malformed)
        {
            return ProblemResponse.Result(http, malformed);
        }
        catch (Exception exception) when (PreconditionCheck.Find(http, exception) is { } failed)
        {
            return ProblemResponse.Result(http, failed);
        }
    }
}
