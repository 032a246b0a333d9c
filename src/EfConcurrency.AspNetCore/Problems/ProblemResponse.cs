using System.Globalization;
using EfConcurrency.AspNetCore.Preconditions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Problems;

/// <summary>Makes a response of RFC 9457 from an exception: body, status and headers.</summary>
internal static class ProblemResponse
{
    public const string ContentType = "application/problem+json";

    private static readonly EfConcurrencyProblemOptions Defaults = new();

    /// <summary>Sets the headers of the response, and returns its body. Null when the exception is not for clients.</summary>
    public static ProblemDetails? Prepare(HttpContext context, Exception exception)
    {
        var told = PreconditionCheck.Find(context, exception) ?? exception;
        return ProblemTable.Find(told) is { } problem ? Prepare(context, problem, told) : null;
    }

    /// <summary>For a filter of minimal APIs, and an exception that is in the table.</summary>
    public static IResult Result(HttpContext context, Exception exception) => TypedResults.Problem(Prepare(context, exception)!);

    /// <summary>For a filter of MVC, and an exception that is in the table.</summary>
    public static ObjectResult ActionResult(HttpContext context, Exception exception)
    {
        var details = Prepare(context, exception)!;
        return new(details) { StatusCode = details.Status, ContentTypes = { ContentType } };
    }

    /// <summary>For middleware. Returns false when the exception is not for clients, or the response has started.</summary>
    public static async ValueTask<bool> TryWriteAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (context.Response.HasStarted || Prepare(context, exception) is not { } details)
        {
            return false;
        }

        await WriteAsync(context, details, exception, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>For middleware, and a problem that is known.</summary>
    public static Task WriteAsync(HttpContext context, Problem problem, Exception? exception, CancellationToken cancellationToken)
        => WriteAsync(context, Prepare(context, problem, exception), exception, cancellationToken);

    private static ProblemDetails Prepare(HttpContext context, Problem problem, Exception? told)
    {
        var options = context.RequestServices.GetService<EfConcurrencyProblemOptions>() ?? Defaults;
        var details = new ProblemDetails { Type = options.TypePrefix + problem.Name, Title = problem.Title, Status = problem.Status, Detail = problem.Detail };
        if (problem.MayBeRetried)
        {
            var seconds = (long)Math.Ceiling(((told is null ? null : problem.Wait(told)) ?? options.RetryAfter).TotalSeconds);
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (told is PreconditionFailedException { Current: { } current })
        {
            context.Response.Headers.ETag = current.ToString();
            details.Extensions["currentETag"] = current.ToString();
        }

        return details;
    }

    private static async Task WriteAsync(HttpContext context, ProblemDetails details, Exception? exception, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = details.Status!.Value;
        var writer = context.RequestServices.GetService<IProblemDetailsService>();
        if (writer is null || !await writer.TryWriteAsync(new() { HttpContext = context, ProblemDetails = details, Exception = exception }).ConfigureAwait(false))
        {
            await context.Response.WriteAsJsonAsync(details, options: null, ContentType, cancellationToken).ConfigureAwait(false);
        }
    }
}
