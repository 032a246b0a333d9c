using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.AspNetCore.Problems;

/// <summary>Answers requests that ended in an exception of the library. Others go on to the next handler.</summary>
internal sealed class EfConcurrencyExceptionHandler(ILogger<EfConcurrencyExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (!await ProblemResponse.TryWriteAsync(httpContext, exception, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        // A handled exception is not logged by the middleware. What the client could not have caused is an error all the same.
        var status = httpContext.Response.StatusCode;
        if (status >= StatusCodes.Status500InternalServerError)
        {
            AspNetCoreLog.RequestFailed(logger, exception, status);
        }
        else
        {
            AspNetCoreLog.RequestRefused(logger, status, exception.Message);
        }

        return true;
    }
}
