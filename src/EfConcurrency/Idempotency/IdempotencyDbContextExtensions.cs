using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EfConcurrency.Idempotency;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Makes operations idempotent: done once, however often they are asked for.</summary>
public static class IdempotencyDbContextExtensions
{
    /// <summary>
    /// Runs <paramref name="body"/> unless the key's operation was done before, and then returns what it returned. By default key, work and result are one
    /// transaction, which the library opens (READ COMMITTED), commits, and repeats only as a whole; a lost reply to its commit is settled. Inside the
    /// caller's transaction nothing is final before the caller commits, and another with the key waits for that.
    /// </summary>
    /// <typeparam name="TContext">Type of the context.</typeparam>
    /// <typeparam name="TRequest">Type of the request.</typeparam>
    /// <typeparam name="TResult">Type of the result.</typeparam>
    /// <param name="context">The context, with <c>HasIdempotencyKeys()</c> in its model.</param>
    /// <param name="key">Names the operation.</param>
    /// <param name="request">What is asked for: written as JSON, it is the key's fingerprint. Or an <see cref="IdempotencyFingerprint"/>.</param>
    /// <param name="body">The work, on the context that it is given. An exception rolls all of it back, and the key with it.</param>
    /// <param name="options">Mode, retention, what to do while another is at work.</param>
    /// <param name="cancellationToken">Cancels the work; not the storing of its result.</param>
    /// <returns>The result, and whether it is a replay.</returns>
    /// <exception cref="IdempotencyKeyReusedException">The key was used before with another request.</exception>
    /// <exception cref="IdempotencyInProgressException">Another is at work.</exception>
    /// <exception cref="IdempotencyNeedsResolutionException">Someone has to say first whether a step took effect.</exception>
    /// <exception cref="IdempotencyClaimLostException">Another took over; what was about to be written is rolled back.</exception>
    /// <exception cref="IdempotencyNotPossibleException">The place, or what the body did, forbids it.</exception>
    /// <exception cref="IdempotencyTableMissingException">Model or database have no table of keys.</exception>
    /// <exception cref="EfConcurrency.Resilience.CommitOutcomeUnknownException">The connection was lost at the commit, and the server can't tell. Repeat with the same key.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static Task<IdempotencyOutcome<TResult>> ExecuteIdempotentlyAsync<TContext, TRequest, TResult>(
        this TContext context,
        IdempotencyKey key,
        TRequest request,
        Func<TContext, CancellationToken, Task<TResult>> body,
        IdempotencyOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(body);
        var json = (options ?? IdempotencyOptions.Default).Json;
        return RunTypedAsync(
            context,
            key,
            IdempotencyFingerprint.Of(request, json),
            body,
            result => JsonSerializer.SerializeToUtf8Bytes(result, json),
            bytes => JsonSerializer.Deserialize<TResult>(bytes, json)!,
            options,
            cancellationToken);
    }

    /// <summary>The same for trimmed and ahead-of-time compiled programs, which tell how the result is written.</summary>
    /// <typeparam name="TContext">Type of the context.</typeparam>
    /// <typeparam name="TResult">Type of the result.</typeparam>
    /// <param name="context">The context, with <c>HasIdempotencyKeys()</c> in its model.</param>
    /// <param name="key">Names the operation.</param>
    /// <param name="fingerprint">What the request looks like.</param>
    /// <param name="body">The work, on the context that it is given. An exception rolls all of it back, and the key with it.</param>
    /// <param name="resultType">How the result is written and read.</param>
    /// <param name="options">Mode, retention, what to do while another is at work.</param>
    /// <param name="cancellationToken">Cancels the work; not the storing of its result.</param>
    /// <returns>The result, and whether it is a replay.</returns>
    /// <exception cref="IdempotencyKeyReusedException">The key was used before with another request.</exception>
    /// <exception cref="IdempotencyInProgressException">Another is at work.</exception>
    /// <exception cref="IdempotencyNeedsResolutionException">Someone has to say first whether a step took effect.</exception>
    /// <exception cref="IdempotencyClaimLostException">Another took over; what was about to be written is rolled back.</exception>
    /// <exception cref="IdempotencyNotPossibleException">The place, or what the body did, forbids it.</exception>
    /// <exception cref="IdempotencyTableMissingException">Model or database have no table of keys.</exception>
    /// <exception cref="EfConcurrency.Resilience.CommitOutcomeUnknownException">The connection was lost at the commit, and the server can't tell. Repeat with the same key.</exception>
    public static Task<IdempotencyOutcome<TResult>> ExecuteIdempotentlyAsync<TContext, TResult>(
        this TContext context,
        IdempotencyKey key,
        IdempotencyFingerprint fingerprint,
        Func<TContext, CancellationToken, Task<TResult>> body,
        JsonTypeInfo<TResult> resultType,
        IdempotencyOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(resultType);
        return RunTypedAsync(
            context,
            key,
            fingerprint,
            body,
            result => JsonSerializer.SerializeToUtf8Bytes(result, resultType),
            bytes => JsonSerializer.Deserialize(bytes, resultType)!,
            options,
            cancellationToken);
    }

    /// <inheritdoc cref="ExecuteIdempotentlyAsync{TContext, TRequest, TResult}(TContext, IdempotencyKey, TRequest, Func{TContext, CancellationToken, Task{TResult}}, IdempotencyOptions?, CancellationToken)"/>
    /// <returns>Whether it is a replay; the result is <see langword="true"/>.</returns>
    public static Task<IdempotencyOutcome<bool>> ExecuteIdempotentlyAsync<TContext, TRequest>(
        this TContext context,
        IdempotencyKey key,
        TRequest request,
        Func<TContext, CancellationToken, Task> body,
        IdempotencyOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(body);
        return context.ExecuteIdempotentlyAsync(
            key,
            request,
            async (db, token) =>
            {
                await body(db, token).ConfigureAwait(false);
                return true;
            },
            options,
            cancellationToken);
    }

    /// <summary>
    /// The form for a caller that deals in responses, as a web server does: the body's response says what becomes of it and of the work
    /// (<see cref="IdempotentResponse.Decision"/>).
    /// </summary>
    /// <typeparam name="TContext">Type of the context.</typeparam>
    /// <param name="context">The context, with <c>HasIdempotencyKeys()</c> in its model.</param>
    /// <param name="key">Names the operation.</param>
    /// <param name="fingerprint">What the request looks like.</param>
    /// <param name="body">The work and the response that it leads to. An exception rolls all of it back, and the key with it.</param>
    /// <param name="options">Mode, retention, what to do while another is at work.</param>
    /// <param name="cancellationToken">Cancels the work; not the storing of its result.</param>
    /// <returns>The response, and whether it is a replay: then it is the first one's, octet by octet.</returns>
    /// <exception cref="IdempotencyKeyReusedException">The key was used before with another request.</exception>
    /// <exception cref="IdempotencyInProgressException">Another is at work.</exception>
    /// <exception cref="IdempotencyNeedsResolutionException">Someone has to say first whether a step took effect.</exception>
    /// <exception cref="IdempotencyClaimLostException">Another took over; what was about to be written is rolled back.</exception>
    /// <exception cref="IdempotencyNotPossibleException">The place, or what the body did, forbids it.</exception>
    /// <exception cref="IdempotencyTableMissingException">Model or database have no table of keys.</exception>
    /// <exception cref="EfConcurrency.Resilience.CommitOutcomeUnknownException">The connection was lost at the commit, and the server can't tell. Repeat with the same key.</exception>
    public static Task<IdempotencyOutcome<IdempotentResponse>> ExecuteIdempotentResponseAsync<TContext>(
        this TContext context,
        IdempotencyKey key,
        IdempotencyFingerprint fingerprint,
        Func<TContext, CancellationToken, Task<IdempotentResponse>> body,
        IdempotencyOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(body);
        return new IdempotencyRunner(new(context, key, fingerprint, options, returnsResponse: true, token => body(context, token))).RunAsync(cancellationToken);
    }

    private static async Task<IdempotencyOutcome<TResult>> RunTypedAsync<TContext, TResult>(
        TContext context,
        IdempotencyKey key,
        IdempotencyFingerprint fingerprint,
        Func<TContext, CancellationToken, Task<TResult>> body,
        Func<TResult, byte[]> write,
        Func<byte[], TResult> read,
        IdempotencyOptions? options,
        CancellationToken cancellationToken)
        where TContext : DbContext
    {
        TResult? result = default;
        var call = new IdempotencyCall(context, key, fingerprint, options, returnsResponse: false, async token =>
        {
            result = await body(context, token).ConfigureAwait(false);
            return new IdempotentResponse(status: 0, write(result));
        });
        var outcome = await new IdempotencyRunner(call).RunAsync(cancellationToken).ConfigureAwait(false);
        if (outcome.IsReplay)
        {
            result = outcome.HasResult ? read(outcome.Result.Body.ToArray()) : default;
        }

        return new(result!, outcome.IsReplay, outcome.HasResult, outcome.CompletedAt, outcome.Fence);
    }
}
