using System.Runtime.ExceptionServices;
using EfConcurrency.AspNetCore.Problems;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// One request with a key: claims, lets the handler work with its response held back, keeps the response, commits, and only then sends. Or sends what
/// was kept before.
/// </summary>
internal sealed class IdempotentRequest : IAsyncDisposable
{
    private readonly HttpContext _context;
    private readonly IdempotentEndpoint _endpoint;
    private readonly Func<Task> _handler;
    private readonly bool _canRunAgain;
    private readonly HandlerStart _start;
    private readonly ResponseCapture _capture;
    private ExceptionDispatchInfo? _failure;
    private int _runs;

    private IdempotentRequest(HttpContext context, IdempotentEndpoint endpoint, Func<Task> handler, HandlerStart start, bool canRunAgain)
    {
        _context = context;
        _endpoint = endpoint;
        _handler = handler;
        _start = start;
        _canRunAgain = canRunAgain;
        _capture = new(context);
    }

    /// <summary>Handles a request of an idempotent endpoint.</summary>
    /// <param name="context">The request.</param>
    /// <param name="endpoint">The settings.</param>
    /// <param name="handler">All that follows, binding included. What it throws rolls everything back.</param>
    /// <param name="observesHandler">Whether <see cref="HandlerStart.Mark"/> is called.</param>
    /// <param name="canRunAgain">Whether the handler can be run again when an execution strategy repeats the transaction; MVC's filters can't.</param>
    public static async Task RunAsync(HttpContext context, IdempotentEndpoint endpoint, Func<Task> handler, bool observesHandler, bool canRunAgain)
    {
        if (IsSafe(context.Request.Method) || context.Features.Get<HandlerStart>() is not null)
        {
            await handler().ConfigureAwait(false);
            return;
        }

        try
        {
            if (IdempotencyKeyHeader.Read(context.Request, endpoint.Options.MinKeyLength) is { } text)
            {
                var key = new IdempotencyKey(IdempotencyScope.Of(context, endpoint.Options), text);
                var fingerprint = await RequestFingerprint.OfAsync(context, endpoint.Options, context.RequestAborted).ConfigureAwait(false);
                await RunAsync(context, endpoint, handler, key, fingerprint, new(observesHandler), canRunAgain).ConfigureAwait(false);
                return;
            }

            if (endpoint.Options.RequireKey)
            {
                throw new IdempotencyKeyHeaderException(isMissing: true, $"{IdempotencyKeyHeader.Name} is missing. Send a new random key, such as a UUID, with each new operation, and the same with each repetition.");
            }
        }
        catch (Exception refusal) when (IsRefusal(refusal))
        {
            if (!await ProblemResponse.TryWriteAsync(context, refusal, context.RequestAborted).ConfigureAwait(false))
            {
                throw;
            }

            return;
        }

        await handler().ConfigureAwait(false);
    }

    /// <summary>Requests that change nothing need no key.</summary>
    public static bool IsSafe(string method)
        => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    public ValueTask DisposeAsync() => _capture.DisposeAsync();

    private static async Task RunAsync(
        HttpContext context, IdempotentEndpoint endpoint, Func<Task> handler, IdempotencyKey key, IdempotencyFingerprint fingerprint, HandlerStart start, bool canRunAgain)
    {
        var aborted = context.RequestAborted;
        context.Features.Set(start);
        var request = new IdempotentRequest(context, endpoint, handler, start, canRunAgain);
        try
        {
            var outcome = await request.ExecuteAsync(key, fingerprint, aborted).ConfigureAwait(false);
            context.RequestAborted = aborted;
            context.Response.Headers[IdempotencyKeyHeader.Name] = context.Request.Headers[IdempotencyKeyHeader.Name];
            await (outcome.IsReplay ? request.ReplayAsync(outcome.Result) : request._capture.SendAsync()).ConfigureAwait(false);
        }
        catch when (!context.Response.HasStarted)
        {
            // What the handler had set belongs to work that is rolled back.
            await request._capture.StartAnewAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            context.RequestAborted = aborted;
            request._capture.Restore();
            context.Features.Set<HandlerStart>(null);
            await request.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>A client that is gone does not end the work: what was done would be forgotten. It ends it after a while.</summary>
    private async Task<IdempotencyOutcome<IdempotentResponse>> ExecuteAsync(IdempotencyKey key, IdempotencyFingerprint fingerprint, CancellationToken aborted)
    {
        using var work = new CancellationTokenSource();
        var registration = aborted.UnsafeRegister(static state => ((Action)state!)(), (Action)(() => work.CancelAfter(_endpoint.Options.DisconnectGrace)));
        await using (registration.ConfigureAwait(false))
        {
            var db = _endpoint.Context(_context);
            try
            {
                return await db.ExecuteIdempotentResponseAsync(key, fingerprint, (_, token) => WorkAsync(token), _endpoint.Storage, work.Token).ConfigureAwait(false);
            }
            catch (NoSecondRunException)
            {
                _failure!.Throw();
                throw;
            }
        }
    }

    private async Task<IdempotentResponse> WorkAsync(CancellationToken cancellationToken)
    {
        if (_runs++ > 0)
        {
            if (!_canRunAgain)
            {
                throw new NoSecondRunException();
            }

            await _capture.StartAnewAsync().ConfigureAwait(false);
            _start.StartAnew();

            // Another stream, because the server keeps one reader for each.
            _context.Request.Body.Position = 0;
            _context.Request.Body = new BufferedStream(_context.Request.Body);
        }

        _context.RequestAborted = cancellationToken;
        try
        {
            await _handler().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
            throw;
        }

        var response = await _capture.ReadAsync(_endpoint).ConfigureAwait(false);
        return IsKept(response.Status) ? response : response with { Decision = IdempotentDecision.Discard };
    }

    /// <summary>Beside what the room says: refusals of binding, and of a request that lacks its precondition, may be mended with the same key.</summary>
    private bool IsKept(int status)
        => status is < 400 or >= 500 || (status != StatusCodes.Status428PreconditionRequired && _start.MayHaveDecided(status));

    private async Task ReplayAsync(IdempotentResponse kept)
    {
        _capture.Restore();
        var response = _context.Response;
        response.Headers[IdempotencyKeyHeader.Replayed] = "true";
        if (kept.IsBodyOmitted && ResponseCapture.HasBody(kept.Status))
        {
            await ReplayWithoutBodyAsync(kept).ConfigureAwait(false);
            return;
        }

        response.StatusCode = kept.Status;
        foreach (var header in kept.Headers)
        {
            response.Headers.Append(header.Key, header.Value);
        }

        if (ResponseCapture.HasBody(kept.Status))
        {
            response.ContentLength = kept.Body.Length;
            await response.Body.WriteAsync(kept.Body, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task ReplayWithoutBodyAsync(IdempotentResponse kept)
    {
        var location = kept.Headers.FirstOrDefault(h => string.Equals(h.Key, "Location", StringComparison.OrdinalIgnoreCase)).Value;
        if (_endpoint.Options.OnOmittedBody == OmittedBodyReplay.SeeLocation && location is not null)
        {
            _context.Response.StatusCode = StatusCodes.Status303SeeOther;
            _context.Response.Headers.Location = location;
        }
        else
        {
            await ProblemResponse.WriteAsync(_context, ProblemTable.ResponseNotKept, exception: null, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>What is said of the key rather than by the handler.</summary>
    private static bool IsRefusal(Exception exception)
        => exception is IdempotencyKeyHeaderException or RequestTooLargeException or IdempotencyKeyReusedException or IdempotencyInProgressException
            or IdempotencyNeedsResolutionException or IdempotencyClaimLostException;

    /// <summary>Not transient for any execution strategy: the first run's failure is final.</summary>
    private sealed class NoSecondRunException : Exception;
}
