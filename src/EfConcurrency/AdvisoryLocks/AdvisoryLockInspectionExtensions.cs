using EfConcurrency.AdvisoryLocks;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Who holds advisory locks, who waits for whom, and how to end a holder. For operators; the role needs <c>pg_monitor</c> and <c>pg_signal_backend</c>, nothing else.</summary>
public static class AdvisoryLockInspectionExtensions
{
    /// <summary>All advisory locks held in this database, whoever took them.</summary>
    /// <param name="context">A context of the database; its own connection is not used.</param>
    /// <param name="cancellationToken">Cancels the question.</param>
    /// <returns>One for each lock and holder, with those who wait for it.</returns>
    /// <exception cref="AdvisoryLockPermissionException">The role lacks <c>pg_monitor</c>.</exception>
    public static Task<IReadOnlyList<AdvisoryLockHolder>> GetLockHoldersAsync(this DbContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new LockInspector(context).HoldersAsync(cancellationToken);
    }

    /// <summary>Who waits for whom in this database, for a lock of any kind: advisory locks, rows, tables.</summary>
    /// <param name="context">A context of the database; its own connection is not used.</param>
    /// <param name="cancellationToken">Cancels the question.</param>
    /// <returns>The sessions that wait for nobody and let others wait.</returns>
    /// <exception cref="AdvisoryLockPermissionException">The role lacks <c>pg_monitor</c>.</exception>
    public static Task<IReadOnlyList<BlockedSession>> GetBlockingTreeAsync(this DbContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new LockInspector(context).BlockingTreeAsync(cancellationToken);
    }

    /// <summary>
    /// Ends the session of the holder, if it still is the same session and still holds the lock: its transaction is rolled back, and the lock is free.
    /// </summary>
    /// <param name="context">A context of the database; its own connection is not used.</param>
    /// <param name="holder">From <see cref="GetLockHoldersAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the wait for the session's end.</param>
    /// <returns>True: the session is gone. False: it no longer held the lock, or did not end within 5 s.</returns>
    /// <exception cref="AdvisoryLockPermissionException">The role lacks <c>pg_signal_backend</c>, or the session is a superuser's.</exception>
    public static Task<bool> TerminateHolderAsync(this DbContext context, AdvisoryLockHolder holder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(holder);
        return new LockInspector(context).TerminateAsync(holder, cancellationToken);
    }
}
