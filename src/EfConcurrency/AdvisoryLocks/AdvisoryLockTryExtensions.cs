using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Resilience;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Work under an advisory lock, if it is free.</summary>
public static class AdvisoryLockTryExtensions
{
    /// <summary>
    /// Runs <paramref name="body"/> under the lock if it is free at once, or within <see cref="AdvisoryLockOptions.Timeout"/> where that is set; else like <c>WithAdvisoryLockAsync</c>.
    /// </summary>
    /// <typeparam name="TResult">What the body returns.</typeparam>
    /// <param name="context">The context.</param>
    /// <param name="keys">A name, a number, a pair of numbers, or several of them, which are had all or not at all.</param>
    /// <param name="body">The work. Its token is cancelled with the caller's, and when a session lock is lost.</param>
    /// <param name="options">Scope, mode, wait.</param>
    /// <param name="cancellationToken">Cancels the wait and the work; a commit that was begun is finished.</param>
    /// <returns>What the body returned, or <see cref="AdvisoryLockStatus.Busy"/>.</returns>
    /// <exception cref="AdvisoryLockDeadlockException">The wait was part of a deadlock.</exception>
    /// <exception cref="AdvisoryLockTableFullException">The server has no room for more locks.</exception>
    /// <exception cref="AdvisoryLockNotPossibleException">The lock would protect nothing: repeatable read or serializable, a standby, a <c>TransactionScope</c>, unsaved changes with a retrying strategy.</exception>
    /// <exception cref="SessionLockUnsafeException">Session scope: a pooler or a standby.</exception>
    /// <exception cref="AdvisoryLockLostException">Session scope: the lock was lost before the body ended.</exception>
    /// <exception cref="CommitOutcomeUnknownException">Whether the work was committed could not be found out.</exception>
    /// <exception cref="ArgumentException">A key is empty, or an option makes no sense.</exception>
    public static Task<AdvisoryLockOutcome<TResult>> TryWithAdvisoryLockAsync<TResult>(
        this DbContext context, AdvisoryKeySet keys, Func<AdvisoryLock, CancellationToken, Task<TResult>> body, AdvisoryLockOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return AdvisoryLockRunner.RunAsync(context, keys, new LockWork<TResult>(OnlyIf: null, body), options, isTry: true, cancellationToken);
    }

    /// <inheritdoc cref="TryWithAdvisoryLockAsync{TResult}(DbContext, AdvisoryKeySet, Func{AdvisoryLock, CancellationToken, Task{TResult}}, AdvisoryLockOptions?, CancellationToken)"/>
    /// <returns><see cref="AdvisoryLockStatus.Ran"/> or <see cref="AdvisoryLockStatus.Busy"/>.</returns>
    public static async Task<AdvisoryLockStatus> TryWithAdvisoryLockAsync(
        this DbContext context, AdvisoryKeySet keys, Func<AdvisoryLock, CancellationToken, Task> body, AdvisoryLockOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        var outcome = await context.TryWithAdvisoryLockAsync(keys, AdvisoryLockRunner.WithResult(body), options, cancellationToken).ConfigureAwait(false);
        return outcome.Status;
    }

    /// <summary>
    /// Runs <paramref name="body"/> under the lock if it is free and <paramref name="onlyIf"/> holds, which is asked before the lock and again under it.
    /// </summary>
    /// <typeparam name="TResult">What the body returns.</typeparam>
    /// <param name="context">The context.</param>
    /// <param name="keys">A name, a number, a pair of numbers, or several of them, which are had all or not at all.</param>
    /// <param name="onlyIf">The condition. Ask the database: an entity that the context already tracks is not read again.</param>
    /// <param name="body">The work.</param>
    /// <param name="options">Scope, mode, wait.</param>
    /// <param name="cancellationToken">Cancels the wait and the work; a commit that was begun is finished.</param>
    /// <returns>What the body returned, or <see cref="AdvisoryLockStatus.Busy"/>, or <see cref="AdvisoryLockStatus.ConditionNotMet"/>.</returns>
    /// <inheritdoc cref="TryWithAdvisoryLockAsync{TResult}(DbContext, AdvisoryKeySet, Func{AdvisoryLock, CancellationToken, Task{TResult}}, AdvisoryLockOptions?, CancellationToken)" path="/exception"/>
    public static Task<AdvisoryLockOutcome<TResult>> TryWithAdvisoryLockAsync<TResult>(
        this DbContext context,
        AdvisoryKeySet keys,
        Func<CancellationToken, Task<bool>> onlyIf,
        Func<AdvisoryLock, CancellationToken, Task<TResult>> body,
        AdvisoryLockOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(onlyIf);
        ArgumentNullException.ThrowIfNull(body);
        return AdvisoryLockRunner.RunAsync(context, keys, new LockWork<TResult>(onlyIf, body), options, isTry: true, cancellationToken);
    }

    /// <inheritdoc cref="TryWithAdvisoryLockAsync{TResult}(DbContext, AdvisoryKeySet, Func{CancellationToken, Task{bool}}, Func{AdvisoryLock, CancellationToken, Task{TResult}}, AdvisoryLockOptions?, CancellationToken)"/>
    /// <returns><see cref="AdvisoryLockStatus.Ran"/>, <see cref="AdvisoryLockStatus.Busy"/> or <see cref="AdvisoryLockStatus.ConditionNotMet"/>.</returns>
    public static async Task<AdvisoryLockStatus> TryWithAdvisoryLockAsync(
        this DbContext context,
        AdvisoryKeySet keys,
        Func<CancellationToken, Task<bool>> onlyIf,
        Func<AdvisoryLock, CancellationToken, Task> body,
        AdvisoryLockOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        var outcome = await context.TryWithAdvisoryLockAsync(keys, onlyIf, AdvisoryLockRunner.WithResult(body), options, cancellationToken).ConfigureAwait(false);
        return outcome.Status;
    }
}
