using EfConcurrency.Resilience;

namespace EfConcurrency.RowLocks;

/// <summary>
/// A row is locked by another transaction, and the query was told not to wait, or not as long (SQLSTATE 55P03). No retry strategy
/// repeats it: whoever limits a wait wants the answer.
/// </summary>
public sealed class RowLockUnavailableException : Exception, IFinalRefusal
{
    internal RowLockUnavailableException(RowLockWait wait, bool isTransactionUsable, Exception innerException)
        : base(
            $"A row is locked by another transaction (RowLockWait: {wait}). "
            + (isTransactionUsable
                ? "No lock was taken and the transaction goes on. Try again later, or tell the user that someone else is at work."
                : "The session's lock_timeout ended the wait, and with it the transaction: roll it back. RowLockWait.Wait(…) leaves it usable."),
            innerException)
    {
        Wait = wait;
        IsTransactionUsable = isTransactionUsable;
    }

    /// <summary>How the query was told to wait.</summary>
    public RowLockWait Wait { get; }

    /// <summary>
    /// Whether the transaction can go on, as it was before the query. False when the wait was ended by a <c>lock_timeout</c> that was
    /// set elsewhere, against which the query had no savepoint.
    /// </summary>
    public bool IsTransactionUsable { get; }
}
