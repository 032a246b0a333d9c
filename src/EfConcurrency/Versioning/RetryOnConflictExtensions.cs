using System.Reflection;
using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Runs a unit of work again when it lost against another writer.</summary>
public static class RetryOnConflictExtensions
{
    /// <summary>
    /// Runs <paramref name="unit"/> on a fresh context, and again when it lost against another writer (version conflict,
    /// serialization failure, deadlock, connection lost before the commit). The unit reads, decides and saves; it is one transaction,
    /// which the library opens and commits. It must not do anything outside of the database: use <c>db.AfterCommit(…)</c> for that.
    /// </summary>
    /// <typeparam name="TContext">The context.</typeparam>
    /// <typeparam name="TResult">What the unit returns.</typeparam>
    /// <param name="factory">Makes the contexts, one an attempt.</param>
    /// <param name="unit">The work. It may run several times.</param>
    /// <param name="options">Attempts, pauses, locks, transaction.</param>
    /// <param name="cancellationToken">Cancels pauses, reads and saves; a commit that was begun is finished.</param>
    /// <returns>What the unit returned in the attempt that was committed.</returns>
    /// <exception cref="VersionConflictException">The last attempt lost too.</exception>
    /// <exception cref="CommitOutcomeUnknownException">Whether the work was committed could not be found out.</exception>
    /// <exception cref="AfterCommitException">The work is committed, but a callback after the commit failed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static Task<TResult> RetryOnConflictAsync<TContext, TResult>(
        this IDbContextFactory<TContext> factory,
        Func<TContext, CancellationToken, Task<TResult>> unit,
        RetryOnConflictOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentNullException.ThrowIfNull(unit);
        return RunAsync(() => new FreshContextSource<TContext>(factory), unit, unit.Method, options, cancellationToken);
    }

    /// <inheritdoc cref="RetryOnConflictAsync{TContext, TResult}(IDbContextFactory{TContext}, Func{TContext, CancellationToken, Task{TResult}}, RetryOnConflictOptions?, CancellationToken)"/>
    /// <returns>A task that ends when the work is committed.</returns>
    public static Task RetryOnConflictAsync<TContext>(
        this IDbContextFactory<TContext> factory,
        Func<TContext, CancellationToken, Task> unit,
        RetryOnConflictOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(factory);
        return RunAsync(() => new FreshContextSource<TContext>(factory), WithResult(unit), unit.Method, options, cancellationToken);
    }

    /// <summary>
    /// Runs <paramref name="unit"/> on this context, whose change tracker is emptied before each attempt; else like the form on an
    /// <see cref="IDbContextFactory{TContext}"/>, which is to be preferred. Entities read before the call are no longer tracked.
    /// </summary>
    /// <typeparam name="TContext">The context.</typeparam>
    /// <typeparam name="TResult">What the unit returns.</typeparam>
    /// <param name="context">A context without unsaved changes and without an open transaction.</param>
    /// <param name="unit">The work. It may run several times.</param>
    /// <param name="options">Attempts, pauses, locks, transaction.</param>
    /// <param name="cancellationToken">Cancels pauses, reads and saves; a commit that was begun is finished.</param>
    /// <returns>What the unit returned in the attempt that was committed.</returns>
    /// <exception cref="RetryNotPossibleException">The context has unsaved changes or is in a transaction, or a unit already runs on it.</exception>
    /// <exception cref="VersionConflictException">The last attempt lost too.</exception>
    /// <exception cref="CommitOutcomeUnknownException">Whether the work was committed could not be found out.</exception>
    /// <exception cref="AfterCommitException">The work is committed, but a callback after the commit failed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    public static Task<TResult> RetryOnConflictAsync<TContext, TResult>(
        this TContext context,
        Func<TContext, CancellationToken, Task<TResult>> unit,
        RetryOnConflictOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(unit);
        return RunAsync(() => new ClearedContextSource<TContext>(context), unit, unit.Method, options, cancellationToken);
    }

    /// <inheritdoc cref="RetryOnConflictAsync{TContext, TResult}(TContext, Func{TContext, CancellationToken, Task{TResult}}, RetryOnConflictOptions?, CancellationToken)"/>
    /// <returns>A task that ends when the work is committed.</returns>
    public static Task RetryOnConflictAsync<TContext>(
        this TContext context,
        Func<TContext, CancellationToken, Task> unit,
        RetryOnConflictOptions? options = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(context);
        return RunAsync(() => new ClearedContextSource<TContext>(context), WithResult(unit), unit.Method, options, cancellationToken);
    }

    /// <summary>
    /// Inside a unit of <c>RetryOnConflictAsync</c>: runs <paramref name="callback"/> once, after the commit of the attempt that
    /// succeeded. Callbacks of attempts that failed are forgotten.
    /// </summary>
    /// <param name="context">The unit's context.</param>
    /// <param name="callback">For example the sending of a mail. A crash between commit and callback loses it: what must not get lost belongs into the transaction.</param>
    /// <exception cref="InvalidOperationException">No unit runs on the context.</exception>
    public static void AfterCommit(this DbContext context, Func<CancellationToken, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(callback);

        var state = context.GetService<RetryUnitState>();
        if (!state.IsActive)
        {
            throw new InvalidOperationException(
                "AfterCommit(…) belongs inside a unit of RetryOnConflictAsync, on the context that the unit is given. Elsewhere, call what is to follow after your own commit.");
        }

        state.AddAfterCommit(callback);
    }

    private static Task<TResult> RunAsync<TContext, TResult>(
        Func<IRetryContextSource<TContext>> contexts,
        Func<TContext, CancellationToken, Task<TResult>> unit,
        MethodInfo place,
        RetryOnConflictOptions? options,
        CancellationToken cancellationToken)
        where TContext : DbContext
    {
        options ??= RetryOnConflictOptions.Default;
        options.Validate();
        return new RetryUnit<TContext, TResult>(contexts(), unit, place, options).RunAsync(cancellationToken);
    }

    private static Func<TContext, CancellationToken, Task<bool>> WithResult<TContext>(Func<TContext, CancellationToken, Task> unit)
    {
        ArgumentNullException.ThrowIfNull(unit);
        return async (context, cancellationToken) =>
        {
            await unit(context, cancellationToken).ConfigureAwait(false);
            return true;
        };
    }
}
