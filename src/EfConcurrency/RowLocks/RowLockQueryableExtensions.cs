using EfConcurrency.QueryPipeline;
using EfConcurrency.RowLocks;

namespace Microsoft.EntityFrameworkCore;

/// <summary>
/// Query operators that lock the rows of the query's entity until the transaction ends. They need an open transaction; tracked
/// entities are given the database's values. On other sequences than EF's queries they do nothing.
/// </summary>
public static class RowLockQueryableExtensions
{
    private static readonly RowLockOperator Update = new(ForUpdate, ForUpdate, NoWaitOperators.ForUpdate, SkipLockedOperators.ForUpdate);
    private static readonly RowLockOperator NoKeyUpdate = new(ForNoKeyUpdate, ForNoKeyUpdate, NoWaitOperators.ForNoKeyUpdate, SkipLockedOperators.ForNoKeyUpdate);
    private static readonly RowLockOperator Share = new(ForShare, ForShare, NoWaitOperators.ForShare, SkipLockedOperators.ForShare);
    private static readonly RowLockOperator KeyShare = new(ForKeyShare, ForKeyShare, NoWaitOperators.ForKeyShare, SkipLockedOperators.ForKeyShare);

    /// <summary>Nobody else changes, deletes or locks the rows, nor inserts rows that refer to them. For rows that are to be deleted; otherwise <see cref="ForNoKeyUpdate{T}(IQueryable{T})"/> blocks less.</summary>
    /// <typeparam name="T">The entity.</typeparam>
    /// <param name="source">The query.</param>
    /// <returns>The query, which waits for rows that others have locked.</returns>
    /// <exception cref="UnsupportedRowLockException">When the query is translated: its rows can't be locked.</exception>
    /// <exception cref="RowLockTransactionRequiredException">When the query is sent: there is no open transaction.</exception>
    /// <exception cref="RowLockUnsavedChangesException">When the query is read: an entity that it returns is tracked and has unsaved changes.</exception>
    [LockOperator(LockClauseSql.ForUpdate)]
    public static IQueryable<T> ForUpdate<T>(this IQueryable<T> source)
        where T : class
        => ForUpdate(source, default);

    /// <inheritdoc cref="ForUpdate{T}(IQueryable{T})"/>
    /// <param name="source">The query.</param>
    /// <param name="wait">What to do about rows that others have locked. <see cref="RowLockWait.Default"/> waits.</param>
    /// <returns>The query.</returns>
    /// <exception cref="RowLockUnavailableException">When the query is read: a row is locked, and <paramref name="wait"/> is limited.</exception>
    [LockOperator(LockClauseSql.ForUpdate)]
    public static IQueryable<T> ForUpdate<T>(this IQueryable<T> source, [Query.NotParameterized] RowLockWait wait)
        where T : class
        => Add(source, Update, wait);

    /// <summary>Nobody else changes, deletes or locks the rows; rows that refer to them can be inserted. What an UPDATE itself takes.</summary>
    /// <typeparam name="T">The entity.</typeparam>
    /// <param name="source">The query.</param>
    /// <returns>The query, which waits for rows that others have locked.</returns>
    /// <exception cref="UnsupportedRowLockException">When the query is translated: its rows can't be locked.</exception>
    /// <exception cref="RowLockTransactionRequiredException">When the query is sent: there is no open transaction.</exception>
    /// <exception cref="RowLockUnsavedChangesException">When the query is read: an entity that it returns is tracked and has unsaved changes.</exception>
    [LockOperator(LockClauseSql.ForNoKeyUpdate)]
    public static IQueryable<T> ForNoKeyUpdate<T>(this IQueryable<T> source)
        where T : class
        => ForNoKeyUpdate(source, default);

    /// <inheritdoc cref="ForNoKeyUpdate{T}(IQueryable{T})"/>
    /// <param name="source">The query.</param>
    /// <param name="wait">What to do about rows that others have locked. <see cref="RowLockWait.Default"/> waits.</param>
    /// <returns>The query.</returns>
    /// <exception cref="RowLockUnavailableException">When the query is read: a row is locked, and <paramref name="wait"/> is limited.</exception>
    [LockOperator(LockClauseSql.ForNoKeyUpdate)]
    public static IQueryable<T> ForNoKeyUpdate<T>(this IQueryable<T> source, [Query.NotParameterized] RowLockWait wait)
        where T : class
        => Add(source, NoKeyUpdate, wait);

    /// <summary>Nobody else changes or deletes the rows; others may share the lock. To change a row after sharing it invites deadlocks.</summary>
    /// <typeparam name="T">The entity.</typeparam>
    /// <param name="source">The query.</param>
    /// <returns>The query, which waits for rows that others have locked.</returns>
    /// <exception cref="UnsupportedRowLockException">When the query is translated: its rows can't be locked.</exception>
    /// <exception cref="RowLockTransactionRequiredException">When the query is sent: there is no open transaction.</exception>
    /// <exception cref="RowLockUnsavedChangesException">When the query is read: an entity that it returns is tracked and has unsaved changes.</exception>
    [LockOperator(LockClauseSql.ForShare)]
    public static IQueryable<T> ForShare<T>(this IQueryable<T> source)
        where T : class
        => ForShare(source, default);

    /// <inheritdoc cref="ForShare{T}(IQueryable{T})"/>
    /// <param name="source">The query.</param>
    /// <param name="wait">What to do about rows that others have locked. <see cref="RowLockWait.Default"/> waits.</param>
    /// <returns>The query.</returns>
    /// <exception cref="RowLockUnavailableException">When the query is read: a row is locked, and <paramref name="wait"/> is limited.</exception>
    [LockOperator(LockClauseSql.ForShare)]
    public static IQueryable<T> ForShare<T>(this IQueryable<T> source, [Query.NotParameterized] RowLockWait wait)
        where T : class
        => Add(source, Share, wait);

    /// <summary>Nobody else deletes the rows or changes their keys; other changes go on. What a foreign-key check takes.</summary>
    /// <typeparam name="T">The entity.</typeparam>
    /// <param name="source">The query.</param>
    /// <returns>The query, which waits for rows that others have locked.</returns>
    /// <exception cref="UnsupportedRowLockException">When the query is translated: its rows can't be locked.</exception>
    /// <exception cref="RowLockTransactionRequiredException">When the query is sent: there is no open transaction.</exception>
    /// <exception cref="RowLockUnsavedChangesException">When the query is read: an entity that it returns is tracked and has unsaved changes.</exception>
    [LockOperator(LockClauseSql.ForKeyShare)]
    public static IQueryable<T> ForKeyShare<T>(this IQueryable<T> source)
        where T : class
        => ForKeyShare(source, default);

    /// <inheritdoc cref="ForKeyShare{T}(IQueryable{T})"/>
    /// <param name="source">The query.</param>
    /// <param name="wait">What to do about rows that others have locked. <see cref="RowLockWait.Default"/> waits.</param>
    /// <returns>The query.</returns>
    /// <exception cref="RowLockUnavailableException">When the query is read: a row is locked, and <paramref name="wait"/> is limited.</exception>
    [LockOperator(LockClauseSql.ForKeyShare)]
    public static IQueryable<T> ForKeyShare<T>(this IQueryable<T> source, [Query.NotParameterized] RowLockWait wait)
        where T : class
        => Add(source, KeyShare, wait);

    /// <summary>
    /// Claims the first <paramref name="count"/> rows, in the order of the query, that nobody else has locked
    /// (<c>FOR NO KEY UPDATE SKIP LOCKED</c>). Workers that call it at the same time get different rows, and none waits.
    /// </summary>
    /// <typeparam name="T">The entity.</typeparam>
    /// <param name="source">An ordered query.</param>
    /// <param name="count">How many rows at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The rows, locked until the transaction ends. Fewer than <paramref name="count"/> when there are no more.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    /// <exception cref="RowLockTransactionRequiredException">There is no open transaction.</exception>
    /// <exception cref="RowLockUnsavedChangesException">A claimed row is tracked and has unsaved changes.</exception>
    public static Task<List<T>> TakeAsync<T>(this IOrderedQueryable<T> source, int count, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return source.Take(count).ForNoKeyUpdate(RowLockWait.SkipLocked).ToListAsync(cancellationToken);
    }

    private static IQueryable<T> Add<T>(IQueryable<T> source, RowLockOperator lockOperator, RowLockWait wait)
    {
        ArgumentNullException.ThrowIfNull(source);
        return lockOperator.Add(source, wait);
    }
}
