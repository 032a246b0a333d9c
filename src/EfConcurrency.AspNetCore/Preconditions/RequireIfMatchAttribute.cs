using EfConcurrency.AspNetCore.OpenApi;
using EfConcurrency.AspNetCore.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.OpenApi;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>
/// <c>RequireIfMatch()</c> for MVC: 428 without <c>If-Match</c>, 400 when it is malformed, 412 with the current tag when it fails. The action takes
/// an <see cref="IfMatch"/> parameter and calls <c>db.Expect(entity, ifMatch)</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequireIfMatchAttribute : Attribute, IAsyncResourceFilter, IAsyncActionFilter, IOperationDescription
{
    /// <summary>Whether <c>If-None-Match: *</c> will do too: for PUT that creates or replaces.</summary>
    /// <value>false</value>
    public bool AllowCreate { get; set; }

    /// <inheritdoc/>
    public async Task OnResourceExecutionAsync(ResourceExecutingContext context, ResourceExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);

        // Before the body is bound: a request that will be refused anyway is refused for this reason.
        try
        {
            if (!PreconditionCheck.IsGiven(context.HttpContext, AllowCreate))
            {
                context.Result = ProblemResponse.ActionResult(context.HttpContext, new PreconditionRequiredException(AllowCreate));
                return;
            }
        }
        catch (MalformedHeaderException malformed)
        {
            context.Result = ProblemResponse.ActionResult(context.HttpContext, malformed);
            return;
        }

        await next().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);

        var executed = await next().ConfigureAwait(false);
        if (executed is { Exception: { } exception, ExceptionHandled: false })
        {
            if (PreconditionCheck.Find(context.HttpContext, exception) is { } failed)
            {
                executed.ExceptionHandled = true;
                executed.Result = ProblemResponse.ActionResult(context.HttpContext, failed);
            }
        }
        else if (!executed.Canceled)
        {
            PreconditionCheck.ThrowIfIgnored(context.HttpContext, (executed.Result as IStatusCodeActionResult)?.StatusCode ?? StatusCodes.Status200OK);
        }
    }

    void IOperationDescription.Describe(OpenApiOperation operation, bool isRead) => new IfMatchDescription(AllowCreate).Describe(operation, isRead);
}
