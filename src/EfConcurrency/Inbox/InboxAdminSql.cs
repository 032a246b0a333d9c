namespace EfConcurrency.Inbox;

/// <summary>What operators ask.</summary>
internal static class InboxAdminSql
{
    /// <summary>
    /// A row at least. By the partitions that there are: they tell the window, and so in which one the message would be.
    /// Parameters: $1 table, $2 id, $3 foreign id, $4 days since 1970 of the time in the id or null, $5 consumer or null.
    /// </summary>
    public static string Find(InboxTable t) => $"""
        /* efconcurrency inbox.find */
        with inbox as materialized (select clock_timestamp() as now, (select count(*)::bigint from pg_inherits where inhparent = to_regclass($1)) - 1 as days)
        select i.now, i.days::integer - 2, r.{t.Slot}, r.{t.Consumer}, r.{t.MessageId}, r.{t.ForeignId}, r.{t.AcceptedAt}
        from inbox i
        left join {t.Name} r on r.{t.MessageId} = $2 and r.{t.ForeignId} = $3 and ($5::text is null or r.{t.Consumer} = $5)
            and r.{t.Slot} = (select case when $4::bigint is null then days when days > 0 then $4 % days end from inbox)
        order by r.{t.AcceptedAt}
        """;
}
