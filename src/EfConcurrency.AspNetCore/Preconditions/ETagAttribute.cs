using System.Reflection;
using EfConcurrency.AspNetCore.OpenApi;
using EfConcurrency.AspNetCore.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary><c>WithETag()</c> for MVC: an action or a controller.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class ETagAttribute : Attribute, IAsyncActionFilter, IOperationDescription
{
    private EntityTagSource? _source;

    /// <summary>Name of the property of the returned object that has the version; for DTOs.</summary>
    /// <value>the version column of the returned entity</value>
    public string? Property { get; set; }

    /// <inheritdoc/>
    public async Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);

        var http = context.HttpContext;
        var executed = await next().ConfigureAwait(false);
        if (executed is { Exception: { } exception, ExceptionHandled: false })
        {
            if (PreconditionCheck.Find(http, exception) is { } failed)
            {
                executed.ExceptionHandled = true;
                executed.Result = ProblemResponse.ActionResult(http, failed);
            }
        }
        else if (executed.Result is ObjectResult result && (result.StatusCode ?? http.Response.StatusCode) is >= 200 and < 300)
        {
            _source ??= new(Property is { } name ? value => PropertyOf(value, name).GetValue(value) : null);
            if (_source.TagOf(http, result.Value) is { } tag && PreconditionCheck.IsNotModified(http, tag))
            {
                executed.Result = new StatusCodeResult(StatusCodes.Status304NotModified);
            }
        }
    }

    void IOperationDescription.Describe(OpenApiOperation operation, bool isRead) => ETagDescription.Instance.Describe(operation, isRead);

    private static PropertyInfo PropertyOf(object value, string name)
        => value.GetType().GetProperty(name)
            ?? throw new InvalidOperationException($"[ETag(Property = \"{name}\")]: '{value.GetType().Name}' has no public property '{name}'.");
}
