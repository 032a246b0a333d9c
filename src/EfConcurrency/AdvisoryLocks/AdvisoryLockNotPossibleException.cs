using System.Transactions;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>A lock was asked for, or used, in a way in which it would not protect anything.</summary>
public sealed class AdvisoryLockNotPossibleException : InvalidOperationException, IFinalRefusal
{
    internal AdvisoryLockNotPossibleException(AdvisoryLockRefusal reason, string message, Exception? innerException = null)
        : base(message, innerException)
        => Reason = reason;

    /// <summary>Why.</summary>
    public AdvisoryLockRefusal Reason { get; }

    internal static AdvisoryLockNotPossibleException SnapshotTooOld()
        => new(
            AdvisoryLockRefusal.SnapshotTooOld,
            "The transaction is repeatable read or serializable: its snapshot is taken before the lock is waited for, so that it does not see what the last holder committed. "
            + "Use read committed, which reads anew with each statement; or leave out the lock: serializable transactions need none, but must be retried (RetryOnConflictAsync).");

    internal static AdvisoryLockNotPossibleException Standby()
        => new(
            AdvisoryLockRefusal.Standby,
            "The server is a standby, which grants advisory locks that are held on the primary. Connect to the primary (Target Session Attributes=primary).");

    internal static void ThrowIfAmbient(DbContext context)
    {
        if (context.Database.CurrentTransaction is null && (Transaction.Current is not null || context.Database.GetEnlistedTransaction() is not null))
        {
            throw new AdvisoryLockNotPossibleException(
                AdvisoryLockRefusal.AmbientTransaction,
                "An advisory lock can't be taken in a TransactionScope: its isolation level and its end are not the context's. Use context.Database.BeginTransactionAsync, or leave the transaction to WithAdvisoryLockAsync.");
        }
    }
}
