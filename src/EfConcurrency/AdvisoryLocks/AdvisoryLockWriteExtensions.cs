using EfConcurrency.AdvisoryLocks;

namespace Microsoft.EntityFrameworkCore;

/// <summary>
/// One write under an advisory lock that rides with it, as the first statement of its list: no round trip more. The lock covers what the database does,
/// not what was read before the call: whoever reads, decides and writes needs <c>WithAdvisoryLockAsync</c>, and reads inside it.
/// </summary>
public static class AdvisoryLockWriteExtensions
{
    /// <summary>
    /// Saves while no one else holds <paramref name="keys"/>. The lock is waited for before all else that the save sends, and ends with the save's transaction: that of
    /// the save, or the caller's. Nothing to save: no lock. What was read before the call may be out of date by then; version columns are checked under the lock.
    /// </summary>
    /// <param name="context">The context.</param>
    /// <param name="keys">A name, a number, a pair of numbers, or several of them: <c>["a", "b"]</c>.</param>
    /// <param name="options">Mode and wait. A wait of zero ends after the server's shortest, 1 ms. Scope must be <see cref="AdvisoryLockScope.Transaction"/>.</param>
    /// <param name="cancellationToken">Cancels the wait and the save.</param>
    /// <returns>The number of entries written.</returns>
    /// <exception cref="AdvisoryLockTimeoutException">The lock was not free in time; nothing was written. A caller's transaction can go on if it has EF's automatic savepoints.</exception>
    /// <exception cref="AdvisoryLockDeadlockException">The wait was part of a deadlock.</exception>
    /// <exception cref="AdvisoryLockTableFullException">The server has no room for more locks.</exception>
    /// <exception cref="AdvisoryLockNotPossibleException">The transaction is repeatable read or serializable, or a <c>TransactionScope</c>.</exception>
    /// <exception cref="ArgumentException">A key is empty, or an option makes no sense.</exception>
    /// <exception cref="DbUpdateException">The save failed, as it would have without the lock.</exception>
    public static Task<int> SaveChangesUnderAdvisoryLockAsync(
        this DbContext context, AdvisoryKeySet keys, AdvisoryLockOptions? options = null, CancellationToken cancellationToken = default)
        => RidingLockRunner.SaveAsync(context, keys, options, cancellationToken);

    /// <summary>
    /// <c>ExecuteUpdate</c> while no one else holds <paramref name="keys"/>: its conditions and values are computed under the lock. The lock ends with the
    /// statement, or with the caller's transaction, which can go on after a wait in vain.
    /// </summary>
    /// <typeparam name="T">The element of the query.</typeparam>
    /// <param name="context">The context of the query.</param>
    /// <param name="keys">A name, a number, a pair of numbers, or several of them: <c>["a", "b"]</c>.</param>
    /// <param name="query">The rows.</param>
    /// <param name="setters">What to write, as for <c>ExecuteUpdate</c>.</param>
    /// <param name="options">Mode and wait. A wait of zero ends after the server's shortest, 1 ms. Scope must be <see cref="AdvisoryLockScope.Transaction"/>.</param>
    /// <param name="cancellationToken">Cancels the wait and the statement.</param>
    /// <returns>The number of rows written.</returns>
    /// <exception cref="AdvisoryLockTimeoutException">The lock was not free in time; nothing was written.</exception>
    /// <exception cref="AdvisoryLockDeadlockException">The wait was part of a deadlock.</exception>
    /// <exception cref="AdvisoryLockTableFullException">The server has no room for more locks.</exception>
    /// <exception cref="AdvisoryLockNotPossibleException">The transaction is repeatable read or serializable, or a <c>TransactionScope</c>.</exception>
    /// <exception cref="ArgumentException">A key is empty, an option makes no sense, or the query is not one of <paramref name="context"/>.</exception>
    public static Task<int> ExecuteUpdateUnderAdvisoryLockAsync<T>(
        this DbContext context,
        AdvisoryKeySet keys,
        IQueryable<T> query,
        Action<Query.UpdateSettersBuilder<T>> setters,
        AdvisoryLockOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(setters);
        return RidingLockRunner.ExecuteAsync(context, keys, query, token => query.ExecuteUpdateAsync(setters, token), options, cancellationToken);
    }

    /// <summary><c>ExecuteDelete</c> while no one else holds <paramref name="keys"/>; as <c>ExecuteUpdateUnderAdvisoryLockAsync</c>.</summary>
    /// <typeparam name="T">The element of the query.</typeparam>
    /// <param name="context">The context of the query.</param>
    /// <param name="keys">A name, a number, a pair of numbers, or several of them: <c>["a", "b"]</c>.</param>
    /// <param name="query">The rows.</param>
    /// <param name="options">Mode and wait. A wait of zero ends after the server's shortest, 1 ms. Scope must be <see cref="AdvisoryLockScope.Transaction"/>.</param>
    /// <param name="cancellationToken">Cancels the wait and the statement.</param>
    /// <returns>The number of rows deleted.</returns>
    /// <inheritdoc cref="ExecuteUpdateUnderAdvisoryLockAsync{T}" path="/exception"/>
    public static Task<int> ExecuteDeleteUnderAdvisoryLockAsync<T>(
        this DbContext context, AdvisoryKeySet keys, IQueryable<T> query, AdvisoryLockOptions? options = null, CancellationToken cancellationToken = default)
        => RidingLockRunner.ExecuteAsync(context, keys, query, query.ExecuteDeleteAsync, options, cancellationToken);
}
