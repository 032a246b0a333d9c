using System.Globalization;

namespace EfConcurrency.Inbox;

/// <summary>SQL that empties the inbox. Its clock is read when the lock is held, so that no transaction can accept what is being emptied.</summary>
internal static class InboxCleanupSql
{
    /// <summary>How long a TRUNCATE may keep accepting transactions waiting behind it. The next round comes soon.</summary>
    public const string SetLockTimeout = "/* efconcurrency inbox.set-lock-timeout */ select set_config('lock_timeout', '50ms', true)";

    /// <summary>The partitions, whatever they are called by now. Parameters: $1 the table.</summary>
    public const string Partitions = """
        /* efconcurrency inbox.partitions */
        select n.nspname, c.relname, substring(pg_get_expr(c.relpartbound, c.oid) from '\d+')::integer,
            pg_relation_size(c.oid) / current_setting('block_size')::bigint
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        join pg_namespace n on n.oid = c.relnamespace
        where i.inhparent = to_regclass($1)
        """;

    public static string Lock(string partition) => $"/* efconcurrency inbox.lock */ lock table {partition} in access exclusive mode";

    public static string Truncate(string partition) => $"/* efconcurrency inbox.truncate */ truncate table only {partition}";

    /// <summary>
    /// The partition that no id of the window belongs to: that of tomorrow, which also is the one of the first day outside of the window. Null near
    /// midnight, when ids of the one day or the other may come: by the clock skew that is allowed, and by an hour more, for a statement that has
    /// read the clock and not yet locked the partition, and for a server that takes over with a clock that is behind.
    /// </summary>
    public static string FreeSlot(InboxTable t)
    {
        var slots = InboxKey.DaySlots(t.WindowDays).ToString(CultureInfo.InvariantCulture);
        var margin = InboxKey.MaxClockSkew.TotalHours;
        return string.Create(CultureInfo.InvariantCulture, $"""
            /* efconcurrency inbox.free-slot */
            select case when {Day($"clock.now - interval '{margin} hours'")} = {Day($"clock.now + interval '{2 * margin} hours'")} then (({Day("clock.now")} + 1) % {slots})::integer end
            from (select clock_timestamp() as now) clock
            """);
    }

    /// <summary>
    /// Deletes old rows among some blocks: a range of blocks is found without an index, and each row is read once per round.
    /// Parameters: $1 first block, $2 the block after the last.
    /// </summary>
    public static string DeleteOld(InboxTable t, string partition) => string.Create(CultureInfo.InvariantCulture, $"""
        /* efconcurrency inbox.delete-old */
        delete from only {partition} r
        where r.ctid >= format('(%s,0)', $1)::tid and r.ctid < format('(%s,0)', $2)::tid
            and r.{t.AcceptedAt} < clock_timestamp() - interval '{t.WindowDays * 24} hours'
        """);

    private static string Day(string time) => $"floor(extract(epoch from {time}) / 86400)::bigint";
}
