using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Idempotency;

/// <summary>
/// The steps of an operation in TwoPhase. A step that was done by an earlier attempt does not run again: its result is read from the table.
/// Names of steps are part of the data; keep them when the code changes.
/// </summary>
/// <typeparam name="TContext">Type of the context.</typeparam>
public sealed class IdempotencyPhases<TContext>
    where TContext : DbContext
{
    private readonly TContext _context;
    private readonly PhasedClaim _claim;

    internal IdempotencyPhases(TContext context, PhasedClaim claim)
    {
        _context = context;
        _claim = claim;
    }

    /// <summary>The key.</summary>
    public IdempotencyKey Key => _claim.Key;

    /// <summary>
    /// Number of the claim: rises with each takeover and from one life of the key to the next, so that it can serve as a fencing token
    /// (<c>db.UseFencingToken(resource, phases.Fence)</c>) for rows that only operations of one scope write.
    /// </summary>
    public long Fence => _claim.Claim.Fence;

    /// <summary>1, and one more with each takeover.</summary>
    public int Attempt => _claim.Claim.Attempts;

    /// <summary>The step that an earlier attempt began last; null at the first.</summary>
    public string? RecoveryPoint => _claim.Claim.RecoveryPoint;

    /// <summary>Whether a step is done.</summary>
    /// <param name="step">Its name.</param>
    /// <returns>Whether it is done, by this attempt or an earlier one.</returns>
    public bool IsDone(string step) => _claim.IsDone(step);

    /// <summary>Runs a step in this database: one transaction, which begins with the proof that the claim is still ours and ends with the step's result.</summary>
    /// <typeparam name="TResult">Type of the result.</typeparam>
    /// <param name="step">Its name, once in the operation.</param>
    /// <param name="phase">The work. May be repeated by the context's execution strategy, when nothing was committed.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <returns>The result: of now, or of the attempt that did it.</returns>
    /// <exception cref="IdempotencyClaimLostException">Another took over: the step is rolled back.</exception>
    /// <exception cref="IdempotencyNotPossibleException">A transaction is open.</exception>
    public Task<TResult> RunAsync<TResult>(string step, Func<TContext, CancellationToken, Task<TResult>> phase, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(phase);
        return _claim.RunAsync(step, token => phase(_context, token), cancellationToken);
    }

    /// <inheritdoc cref="RunAsync{TResult}(string, Func{TContext, CancellationToken, Task{TResult}}, CancellationToken)"/>
    /// <returns>A task that ends when the step is committed.</returns>
    public Task RunAsync(string step, Func<TContext, CancellationToken, Task> phase, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(phase);
        return _claim.RunAsync(
            step,
            async token =>
            {
                await phase(_context, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    /// <summary>Runs a step in another system, between two transactions. Its beginning is committed before, its result after it.</summary>
    /// <typeparam name="TResult">Type of the result.</typeparam>
    /// <param name="step">Its name, once in the operation.</param>
    /// <param name="call">The call. It is given the key to send along: the same for this step at each attempt, whoever makes it. What the other system refuses is a result; an exception means that nobody knows.</param>
    /// <param name="onAmbiguous">What becomes of the step when nobody knows whether it took effect; default: <see cref="IdempotencyOptions.OnAmbiguous"/>.</param>
    /// <param name="cancellationToken">Cancels the call; not the storing of its result.</param>
    /// <returns>The result: of now, or of the attempt that did it.</returns>
    /// <exception cref="IdempotencyClaimLostException">Another took over.</exception>
    /// <exception cref="IdempotencyNeedsResolutionException">Nobody knows whether the step took effect, and it must not run twice.</exception>
    /// <exception cref="IdempotencyNotPossibleException">A transaction is open.</exception>
    public Task<TResult> CallAsync<TResult>(
        string step, Func<string, CancellationToken, Task<TResult>> call, IdempotencyAmbiguity? onAmbiguous = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        return _claim.CallAsync(step, call, onAmbiguous, cancellationToken);
    }

    /// <inheritdoc cref="CallAsync{TResult}(string, Func{string, CancellationToken, Task{TResult}}, IdempotencyAmbiguity?, CancellationToken)"/>
    /// <returns>A task that ends when the step is done and known to be.</returns>
    public Task CallAsync(string step, Func<string, CancellationToken, Task> call, IdempotencyAmbiguity? onAmbiguous = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        return _claim.CallAsync(
            step,
            async (downstreamKey, token) =>
            {
                await call(downstreamKey, token).ConfigureAwait(false);
                return true;
            },
            onAmbiguous,
            cancellationToken);
    }
}
