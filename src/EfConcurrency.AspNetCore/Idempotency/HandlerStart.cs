using Microsoft.AspNetCore.Http;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// Whether the handler was reached. A 400 or 415 that binding gave is not kept: the same octets may bind with the next release. Feature of a request
/// whose response is held back.
/// </summary>
internal sealed class HandlerStart(bool isObserved)
{
    private bool _hasStarted;

    /// <summary>Called between binding and handler; binding that failed has set a status by then.</summary>
    public static void Mark(HttpContext context)
    {
        if (context.Features.Get<HandlerStart>() is { } start && context.Response.StatusCode < StatusCodes.Status400BadRequest)
        {
            start._hasStarted = true;
        }
    }

    /// <summary>Whether a refusal is the handler's. Where nobody observes, a 400 is taken for binding's.</summary>
    public bool MayHaveDecided(int status) => isObserved ? _hasStarted : status != StatusCodes.Status400BadRequest;

    public void StartAnew() => _hasStarted = false;
}
