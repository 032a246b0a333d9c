using EfConcurrency.Idempotency;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Operations with effects outside of this database.</summary>
public static class IdempotencyPhasesExtensions
{
    /// <summary>
    /// Runs <paramref name="body"/> in <see cref="IdempotencyMode.TwoPhase"/>: the claim is committed first, with a lease; the steps that the body makes are resumed after a crash.
    /// An exception gives the claim back at the recovery point that was reached, and the next call with the key goes on from there.
    /// </summary>
    /// <typeparam name="TContext">Type of the context.</typeparam>
    /// <typeparam name="TRequest">Type of the request.</typeparam>
    /// <typeparam name="TResult">Type of the result.</typeparam>
    /// <param name="context">The context, with <c>HasIdempotencyKeys()</c> in its model and no open transaction.</param>
    /// <param name="key">Names the operation.</param>
    /// <param name="request">What is asked for; see <c>ExecuteIdempotentlyAsync</c>.</param>
    /// <param name="body">Makes the steps. What is not in a step may run again. Its token is cancelled when another has taken over.</param>
    /// <param name="options">Lease, retention, what to do with ambiguous steps; the mode is TwoPhase whatever they say.</param>
    /// <param name="cancellationToken">Cancels the work; not the storing of what was done.</param>
    /// <returns>The result, and whether it is a replay.</returns>
    /// <exception cref="IdempotencyKeyReusedException">The key was used before with another request.</exception>
    /// <exception cref="IdempotencyInProgressException">Another is at work.</exception>
    /// <exception cref="IdempotencyNeedsResolutionException">Someone has to say first whether a step took effect.</exception>
    /// <exception cref="IdempotencyClaimLostException">Another took over; what was about to be written is rolled back.</exception>
    /// <exception cref="IdempotencyNotPossibleException">The place, or what the body did, forbids it.</exception>
    /// <exception cref="IdempotencyTableMissingException">Model or database have no table of keys.</exception>
    public static Task<IdempotencyOutcome<TResult>> ExecuteInPhasesAsync<TContext, TRequest, TResult>(
        this TContext context,
        IdempotencyKey key,
        TRequest request,
        Func<IdempotencyPhases<TContext>, CancellationToken, Task<TResult>> body,
        IdempotencyOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(body);
        return context.ExecuteIdempotentlyAsync(
            key,
            request,
            (db, token) => body(db.CurrentIdempotencyPhases(), token),
            (options ?? IdempotencyOptions.Default) with { Mode = IdempotencyMode.TwoPhase },
            cancellationToken);
    }

    /// <summary>The steps of the operation that runs on the context: for a body that is not given them, such as a web handler.</summary>
    /// <typeparam name="TContext">Type of the context.</typeparam>
    /// <param name="context">The context on which the operation runs.</param>
    /// <returns>The steps.</returns>
    /// <exception cref="IdempotencyNotPossibleException">No operation in TwoPhase runs on the context.</exception>
    public static IdempotencyPhases<TContext> CurrentIdempotencyPhases<TContext>(this TContext context)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(context);
        return IdempotencyUnitState.Of(context).Phases is { } claim
            ? new(context, claim)
            : throw new IdempotencyNotPossibleException(
                "No operation in TwoPhase runs on this context. Steps belong inside the work of ExecuteInPhasesAsync, or of a call with IdempotencyMode.TwoPhase, on the context that it is given.");
    }
}
