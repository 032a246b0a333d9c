using System.Globalization;

namespace EfConcurrency.QueryPipeline;

/// <summary>The SQL that a lock operator adds to EF's statement. https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE</summary>
internal static class LockClauseSql
{
    public const string ForUpdate = "FOR UPDATE";

    public const string ForNoKeyUpdate = "FOR NO KEY UPDATE";

    public const string ForShare = "FOR SHARE";

    public const string ForKeyShare = "FOR KEY SHARE";

    /// <summary>
    /// Before a statement that may fail for want of a lock: the failure undoes no more than the statement, the time limit included.
    /// </summary>
    public const string Savepoint = "/* efconcurrency query.lock-savepoint */ savepoint efc_row_lock;";

    /// <summary>After such a statement. Locks survive a RELEASE.</summary>
    public const string Release = "/* efconcurrency query.lock-release */ release savepoint efc_row_lock";

    /// <summary>After a statement that <see cref="LimitWait"/> stands before. RELEASE would leave the limit to the statements that follow.</summary>
    public const string RestoreWait =
        "/* efconcurrency query.lock-restore-wait */ do $$ begin perform set_config('lock_timeout', current_setting('efc.lock_timeout'), true); end $$;";

    /// <summary>After such a failure.</summary>
    public const string Undo =
        "/* efconcurrency query.lock-undo */ rollback to savepoint efc_row_lock; " + Release;

    /// <summary>The clause for one table of a SELECT. OF: without it the nullable side of an outer join is an error (0A000).</summary>
    public static string Of(LockClause clause, string alias)
        => $"{clause.Strength} OF {alias}" + clause.Wait.Kind switch
        {
            LockWaitKind.NoWait => " NOWAIT",
            LockWaitKind.SkipLocked => " SKIP LOCKED",
            _ => "",
        };

    /// <summary>
    /// Keeps the old limit and sets another. A DO block, because it returns no rows: EF takes all that come back for those of the query.
    /// </summary>
    public static string LimitWait(int milliseconds)
        => string.Create(
            CultureInfo.InvariantCulture,
            $"/* efconcurrency query.lock-limit-wait */ do $$ begin perform set_config('efc.lock_timeout', current_setting('lock_timeout'), true); perform set_config('lock_timeout', '{milliseconds}', true); end $$;");
}
