namespace EfConcurrency.Outbox;

/// <summary>Reads the log. A cursor is a snapshot, and what is new is what a later snapshot sees beyond it; ids only say the order.</summary>
internal sealed class OutboxReadSql
{
    public OutboxReadSql(OutboxTable outbox)
    {
        var log = outbox.Log;
        var columns = $"""
            o.{log.Id} as id, o.{log.Lane} as lane, o.{log.MessageId}, o.{log.Key}, o.{log.Topic}, o.{log.Type}, o.{log.Headers}::text, o.{log.Payload} as payload,
                o.{log.CreatedAt}, o.{log.DueAt}, (extract(epoch from o.{log.DueAt}) - extract(epoch from clock_timestamp()))::float8, 0
            """;

        Read = $"""
            /* efconcurrency outbox.read */
            with lanes as materialized (select lane, snap::pg_snapshot as snap from unnest($1::smallint[], $2::text[]) l (lane, snap)),
            new as (
                select {columns} from {log.Name} o join lanes l on l.lane = o.{log.Lane}
                where o.{log.TransactionId} >= $3::text::xid8 and not pg_visible_in_snapshot(o.{log.TransactionId}, l.snap)
                union all
                select {columns} from {log.Name} o join lanes l on l.lane = o.{log.Lane}
                where o.{log.TransactionId} = any($4::text[]::xid8[]) and not pg_visible_in_snapshot(o.{log.TransactionId}, l.snap)
                order by id limit $5)
            select s.snap, n.total, n.* from (select pg_current_snapshot()::text as snap) s
            left join (
                select n.*, count(*) over () as total, sum(octet_length(n.payload)::bigint) over (order by n.id) - octet_length(n.payload) as bytes_before from new n
            ) n on n.bytes_before < $6
            order by n.id
            """;

        Plan = $"""
            /* efconcurrency outbox.plan */
            with lanes as materialized (
                select lane, snap::pg_snapshot as snap, planned_to::pg_snapshot as planned_to, last_id
                from unnest($1::smallint[], $2::text[], $7::text[], $8::bigint[]) l (lane, snap, planned_to, last_id)),
            new as (
                select o.{log.Id} as id, o.{log.Lane} as lane, o.{log.Slot} as slot, o.ctid as place, octet_length(o.{log.Payload}) as size
                from {log.Name} o join lanes l on l.lane = o.{log.Lane}
                where o.{log.TransactionId} >= $3::text::xid8 and o.{log.TransactionId} < $6::text::xid8
                    and not pg_visible_in_snapshot(o.{log.TransactionId}, l.snap) and pg_visible_in_snapshot(o.{log.TransactionId}, l.planned_to) and o.{log.Id} > l.last_id
                union all
                select o.{log.Id}, o.{log.Lane}, o.{log.Slot}, o.ctid, octet_length(o.{log.Payload})
                from {log.Name} o join lanes l on l.lane = o.{log.Lane}
                where o.{log.TransactionId} = any($4::text[]::xid8[])
                    and not pg_visible_in_snapshot(o.{log.TransactionId}, l.snap) and pg_visible_in_snapshot(o.{log.TransactionId}, l.planned_to) and o.{log.Id} > l.last_id
                order by id limit $5)
            select n.* from new n order by n.id
            """;

        // By slot, so that one partition is looked into; the ids tell whether the rows are still at their places (VACUUM FULL moves them).
        Fetch = $"""
            /* efconcurrency outbox.fetch */
            select {columns} from {log.Name} o where o.{log.Slot} = $1 and o.ctid = any($2) and o.{log.Id} between $3 and $4 order by 1
            """;
    }

    /// <summary>
    /// What is new in some lanes, in the order of ids, with the snapshot that will be the next cursor: it must come from the same statement. A row
    /// with that alone when nothing is new. Parameters: lanes, their snapshots, the lowest xmax of those, the transactions below it that one of
    /// them did not see yet, rows at most, bytes of payload at most. Two branches, each an index scan: by xmin alone, a transaction that stays
    /// open for long would have all that came after it read again and again.
    /// </summary>
    public string Read { get; }

    /// <summary>
    /// Where the next messages of a backlog are, in the order of ids. Parameters as of <see cref="Read"/> without the last, then the highest xmax of
    /// the snapshots that are planned to, these snapshots, and the last ids that are done.
    /// </summary>
    public string Plan { get; }

    /// <summary>Messages by their places. Parameters: slot, places, first id, last id.</summary>
    public string Fetch { get; }
}
