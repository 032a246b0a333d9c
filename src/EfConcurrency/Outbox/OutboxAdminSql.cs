namespace EfConcurrency.Outbox;

/// <summary>What operators do that LINQ can't say.</summary>
internal sealed class OutboxAdminSql
{
    public OutboxAdminSql(OutboxTable outbox)
    {
        var log = outbox.Log;
        var cursor = outbox.Cursor;
        var pending = outbox.Pending;
        var isOpen = $"not pg_visible_in_snapshot(o.{log.TransactionId}, l.snap) and (l.planned_to is null or not pg_visible_in_snapshot(o.{log.TransactionId}, l.planned_to) or o.{log.Id} > l.last_id)";
        var lanes = $"""
            lanes as materialized (
                select {cursor.Lane} as lane, {cursor.Snapshot}::pg_snapshot as snap, {cursor.PlannedTo}::pg_snapshot as planned_to, {cursor.LastId} as last_id
                from {cursor.Name} where {cursor.Sink} = $1),
            lowest as (select pg_snapshot_xmin(snap) as xmin from lanes order by 1 limit 1)
            """;

        Lag = $"""
            /* efconcurrency outbox.lag */
            with {lanes},
            undelivered as (
                select o.{log.CreatedAt} as created_at from {log.Name} o join lanes l on l.lane = o.{log.Lane}
                where o.{log.TransactionId} >= (select xmin from lowest) and {isOpen} limit 1000000)
            select (select count(*) from undelivered), count(*) filter (where {pending.State} = 0), count(*) filter (where {pending.State} = 1),
                count(*) filter (where {pending.State} = 2),
                extract(epoch from clock_timestamp() - least((select min(created_at) from undelivered), min({pending.CreatedAt}) filter (where {pending.State} = 0)))::float8
            from {pending.Name} where {pending.Sink} = $1
            """;

        // By id, which is the key of what is pending; the state of the log is told by the sink's snapshot.
        var isPassed = $"pg_visible_in_snapshot(m.tx, c.{cursor.Snapshot}::pg_snapshot) or coalesce(pg_visible_in_snapshot(m.tx, c.{cursor.PlannedTo}::pg_snapshot) and m.id <= c.{cursor.LastId}, false)";
        Deliveries = $"""
            /* efconcurrency outbox.deliveries */
            select c.{cursor.Sink},
                case p.{pending.State} when 0 then {(int)OutboxMessageState.Retrying} when 1 then {(int)OutboxMessageState.Delayed} when 2 then {(int)OutboxMessageState.Dead}
                    else case when {isPassed} then {(int)OutboxMessageState.Passed} else {(int)OutboxMessageState.Undelivered} end end,
                coalesce(p.{pending.Attempts}, 0), p.{pending.LastError}, case when p.{pending.State} < 2 then p.{pending.DueAt} end,
                (select count(*) from {pending.Name} h
                    where h.{pending.Sink} = p.{pending.Sink} and h.{pending.Key} = p.{pending.Key} and h.{pending.Id} > p.{pending.Id} and h.{pending.State} = 0),
                (select h.{pending.MessageId} from {pending.Name} h
                    where h.{pending.Sink} = p.{pending.Sink} and h.{pending.Key} = p.{pending.Key} and h.{pending.Id} < p.{pending.Id} and h.{pending.State} <> 1 and p.{pending.State} = 0
                    order by h.{pending.Id} limit 1)
            from (select $1::bigint as id, $2::smallint as lane, $3::text::xid8 as tx) m
            join {cursor.Name} c on c.{cursor.Lane} = m.lane
            left join {pending.Name} p on p.{pending.Sink} = c.{cursor.Sink} and p.{pending.Id} = m.id
            order by c.{cursor.Sink}
            """;

        // As a backlog that begins before the first message wanted, or the first undelivered one. The epoch fences the leader, who must read this.
        Rewind = $"""
            /* efconcurrency outbox.rewind */
            with {lanes},
            first as (
                select l.lane, min(o.{log.Id}) as id from lanes l join {log.Name} o on o.{log.Lane} = l.lane
                where o.{log.CreatedAt} >= $2 or (o.{log.TransactionId} >= (select xmin from lowest) and {isOpen})
                group by l.lane)
            update {cursor.Name} c set {cursor.Snapshot} = '{OutboxLeaseSql.Beginning}', {cursor.PlannedTo} = pg_current_snapshot()::text, {cursor.LastId} = f.id - 1,
                {cursor.Owner} = null, {cursor.LeaseUntil} = '-infinity', {cursor.Epoch} = c.{cursor.Epoch} + 1
            from first f where c.{cursor.Sink} = $1 and c.{cursor.Lane} = f.lane
            """;

        var isAhead = $"pg_snapshot_xmax({cursor.Snapshot}::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())";
        var isNew = $"{log.TransactionId} >= pg_snapshot_xmax(pg_current_snapshot())";
        IsAhead = $"/* efconcurrency outbox.is-ahead */ select exists (select from {cursor.Name} where {isAhead}) or exists (select from {log.Name} where {isNew})";

        // Nobody may write between the two: what is in the log then has ids of transactions that all snapshots of this server have seen.
        Lock = $"/* efconcurrency outbox.lock-log */ lock table {log.Name} in share row exclusive mode";
        MakeOld = $"/* efconcurrency outbox.make-old */ update {log.Name} set {log.TransactionId} = '2' where {isNew}";
        StartAnew = $"""
            /* efconcurrency outbox.start-anew */
            update {cursor.Name} set {cursor.Snapshot} = '{OutboxLeaseSql.Beginning}', {cursor.PlannedTo} = null, {cursor.LastId} = 0, {cursor.Owner} = null,
                {cursor.LeaseUntil} = '-infinity', {cursor.Epoch} = {cursor.Epoch} + 1
            """;
    }

    /// <summary>One row. Parameters: sink.</summary>
    public string Lag { get; }

    /// <summary>A row for each sink. Parameters: id of the message in the log, its lane, its transaction.</summary>
    public string Deliveries { get; }

    /// <summary>Parameters: sink, time.</summary>
    public string Rewind { get; }

    /// <summary>Whether a cursor or a message comes from another server.</summary>
    public string IsAhead { get; }

    public string Lock { get; }

    public string MakeOld { get; }

    public string StartAnew { get; }
}
