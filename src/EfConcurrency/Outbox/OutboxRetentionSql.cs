namespace EfConcurrency.Outbox;

/// <summary>Empties partitions of the log by TRUNCATE, which leaves no dead rows behind.</summary>
internal sealed class OutboxRetentionSql(OutboxTable outbox)
{
    /// <summary>
    /// The partition that tomorrow's messages go to, which holds those of the day before yesterday; null when it is empty or another process is at it.
    /// By the catalogue: a table that was renamed keeps the names of its partitions. Parameters: the table.
    /// </summary>
    public const string Next = """
        /* efconcurrency outbox.next-partition */
        select c.oid::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = $1::regclass and pg_try_advisory_xact_lock(hashtextextended('efconcurrency outbox.retention ' || i.inhparent, 0))
            and pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES IN (%L)', (extract(epoch from now())::bigint / 86400 + 1) % 3)
        """;

    /// <summary>Whoever has written to the partition and has not ended yet holds a lock; new ones wait this long at most for ours, and then for what is done under it.</summary>
    public const string LockTimeout = "/* efconcurrency outbox.lock-timeout */ select set_config('lock_timeout', '50ms', true), set_config('statement_timeout', '5s', true)";

    /// <summary>The sinks that have not seen all of the partition. Not by xmin alone: it stands still while anybody's transaction is open, in any database. Parameters: none; the partition comes from the catalogue, quoted.</summary>
    public string HeldBackBy(string partition) => $"""
        /* efconcurrency outbox.held-back-by */
        select distinct c.{outbox.Cursor.Sink} from {outbox.Cursor.Name} c
        where exists (select from {partition} o where o.{outbox.Log.TransactionId} >= pg_snapshot_xmin(c.{outbox.Cursor.Snapshot}::pg_snapshot)
            and not pg_visible_in_snapshot(o.{outbox.Log.TransactionId}, c.{outbox.Cursor.Snapshot}::pg_snapshot))
        order by 1
        """;

    /// <summary>Whether there is something to empty, and a sink at all: a log that nobody has read yet is kept.</summary>
    public string IsUsed(string partition)
        => $"/* efconcurrency outbox.partition-is-used */ select exists (select from {partition}) and exists (select from {outbox.Cursor.Name})";

    public static string Lock(string partition) => $"/* efconcurrency outbox.lock-partition */ lock table {partition} in access exclusive mode";

    public static string Empty(string partition) => $"/* efconcurrency outbox.empty-partition */ truncate {partition}";
}
