namespace EfConcurrency.RowLocks;

/// <summary>
/// What a row lock keeps others from (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS). None of them keeps
/// anyone from reading without a lock.
/// </summary>
public enum RowLockMode
{
    /// <summary><c>FOR NO KEY UPDATE</c>: nobody else changes, deletes or locks the row, but rows that refer to it can be inserted. Right for most.</summary>
    NoKeyUpdate,

    /// <summary><c>FOR UPDATE</c>: nobody else changes, deletes, locks or refers to the row. For one that is to be deleted, or whose key is to change.</summary>
    Update,

    /// <summary><c>FOR SHARE</c>: nobody else changes or deletes the row; others may share the lock.</summary>
    Share,

    /// <summary><c>FOR KEY SHARE</c>: nobody else deletes the row or changes its key.</summary>
    KeyShare,
}
