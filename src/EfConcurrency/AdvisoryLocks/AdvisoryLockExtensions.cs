using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Resilience;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Work under an advisory lock. See <c>docs/patterns/advisory-locks.md</c> for what needs none.</summary>
public static class AdvisoryLockExtensions
{
    /// <summary>
    /// Runs <paramref name="body"/> while no one else holds <paramref name="keys"/>. In transaction scope (the default) the lock belongs to the open transaction and lasts until its
    /// end; if none is open, one is opened around the body and committed after it, and an execution strategy that retries repeats lock and body together.
    /// Read what you decide on inside the body.
    /// </summary>
    /// <typeparam name="TResult">What the body returns.</typeparam>
    /// <param name="context">The context.</param>
    /// <param name="keys">A name, a number, a pair of numbers, or several of them: <c>["a", "b"]</c>.</param>
    /// <param name="body">The work. Its token is cancelled with the caller's, and when a session lock is lost.</param>
    /// <param name="options">Scope, mode, wait.</param>
    /// <param name="cancellationToken">Cancels the wait and the work; a commit that was begun is finished.</param>
    /// <returns>What the body returned, once its transaction, if the call opened it, is committed.</returns>
    /// <exception cref="AdvisoryLockTimeoutException">The lock was not free in time.</exception>
    /// <exception cref="AdvisoryLockDeadlockException">The wait was part of a deadlock.</exception>
    /// <exception cref="AdvisoryLockTableFullException">The server has no room for more locks.</exception>
    /// <exception cref="AdvisoryLockNotPossibleException">The lock would protect nothing: repeatable read or serializable, a standby, a <c>TransactionScope</c>, unsaved changes with a retrying strategy.</exception>
    /// <exception cref="SessionLockUnsafeException">Session scope: a pooler or a standby.</exception>
    /// <exception cref="AdvisoryLockLostException">Session scope: the lock was lost before the body ended.</exception>
    /// <exception cref="CommitOutcomeUnknownException">Whether the work was committed could not be found out.</exception>
    /// <exception cref="ArgumentException">A key is empty, or an option makes no sense.</exception>
    public static async Task<TResult> WithAdvisoryLockAsync<TResult>(
        this DbContext context, AdvisoryKeySet keys, Func<AdvisoryLock, CancellationToken, Task<TResult>> body, AdvisoryLockOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        var outcome = await AdvisoryLockRunner.RunAsync(context, keys, new LockWork<TResult>(OnlyIf: null, body), options, isTry: false, cancellationToken).ConfigureAwait(false);
        return outcome.Value;
    }

    /// <inheritdoc cref="WithAdvisoryLockAsync{TResult}(DbContext, AdvisoryKeySet, Func{AdvisoryLock, CancellationToken, Task{TResult}}, AdvisoryLockOptions?, CancellationToken)"/>
    /// <returns>A task that ends when the work is done and its transaction, if the call opened it, is committed.</returns>
    public static Task WithAdvisoryLockAsync(
        this DbContext context, AdvisoryKeySet keys, Func<AdvisoryLock, CancellationToken, Task> body, AdvisoryLockOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return context.WithAdvisoryLockAsync(keys, AdvisoryLockRunner.WithResult(body), options, cancellationToken);
    }

    /// <summary>
    /// Runs <paramref name="body"/> under the lock if <paramref name="onlyIf"/> holds: asked first without the lock, so that nobody queues for work that is done, and again under
    /// it, because it may be done by then. Ask the database (<c>AnyAsync</c>): an entity that the context already tracks is not read again.
    /// </summary>
    /// <typeparam name="TResult">What the body returns.</typeparam>
    /// <param name="context">The context.</param>
    /// <param name="keys">A name, a number, a pair of numbers, or several of them: <c>["a", "b"]</c>.</param>
    /// <param name="onlyIf">The condition.</param>
    /// <param name="body">The work.</param>
    /// <param name="options">Scope, mode, wait.</param>
    /// <param name="cancellationToken">Cancels the wait and the work; a commit that was begun is finished.</param>
    /// <returns>What the body returned, or <see cref="AdvisoryLockStatus.ConditionNotMet"/>.</returns>
    /// <inheritdoc cref="WithAdvisoryLockAsync{TResult}(DbContext, AdvisoryKeySet, Func{AdvisoryLock, CancellationToken, Task{TResult}}, AdvisoryLockOptions?, CancellationToken)" path="/exception"/>
    public static Task<AdvisoryLockOutcome<TResult>> WithAdvisoryLockAsync<TResult>(
        this DbContext context,
        AdvisoryKeySet keys,
        Func<CancellationToken, Task<bool>> onlyIf,
        Func<AdvisoryLock, CancellationToken, Task<TResult>> body,
        AdvisoryLockOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(onlyIf);
        ArgumentNullException.ThrowIfNull(body);
        return AdvisoryLockRunner.RunAsync(context, keys, new LockWork<TResult>(onlyIf, body), options, isTry: false, cancellationToken);
    }

    /// <inheritdoc cref="WithAdvisoryLockAsync{TResult}(DbContext, AdvisoryKeySet, Func{CancellationToken, Task{bool}}, Func{AdvisoryLock, CancellationToken, Task{TResult}}, AdvisoryLockOptions?, CancellationToken)"/>
    /// <returns><see cref="AdvisoryLockStatus.Ran"/> or <see cref="AdvisoryLockStatus.ConditionNotMet"/>.</returns>
    public static async Task<AdvisoryLockStatus> WithAdvisoryLockAsync(
        this DbContext context,
        AdvisoryKeySet keys,
        Func<CancellationToken, Task<bool>> onlyIf,
        Func<AdvisoryLock, CancellationToken, Task> body,
        AdvisoryLockOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        var outcome = await context.WithAdvisoryLockAsync(keys, onlyIf, AdvisoryLockRunner.WithResult(body), options, cancellationToken).ConfigureAwait(false);
        return outcome.Status;
    }
}
