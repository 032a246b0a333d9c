namespace EfConcurrency.Tool.Status;

/// <summary>
/// What the status asks, without a model: building one takes longer than all the answers. Lengths of time are in seconds. The tables are those of
/// the library's default names, quoted; a test holds the answers against the library's own.
/// </summary>
internal static class StatusSql
{
    /// <summary>Rows of the log that are looked at beyond what a sink has read; above it, the count is a lower bound.</summary>
    private const int MostRows = 100_000;

    private const string Now = "(select clock_timestamp())";

    /// <summary>For the statements that follow in the batch: each is run once, and compiling one takes longer than running it.</summary>
    public const string Begin = "/* efconcurrency status.begin */ select clock_timestamp(), set_config('jit', 'off', true)";

    public const string Locks = """
        /* efconcurrency status.locks */
        select count(*) filter (where l.granted), count(*) filter (where not l.granted), extract(epoch from max(clock_timestamp() - l.waitstart))::float8
        from pg_locks l where l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database())
        """;

    /// <summary>An estimate by the catalogue. Parameter: the table, quoted.</summary>
    public const string Inbox = """
        /* efconcurrency status.inbox */
        select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::text::regclass
        """;

    /// <summary>Parameter: from when on an expired lease counts as abandoned.</summary>
    public static string Leases(string lease) => $"""
        /* efconcurrency status.leases */
        with l as materialized (
            select name, holder is not null and expires_at > {Now} as is_held, holder is not null and expires_at <= {Now} as is_expired,
                holder is not null and expires_at <= {Now} and coalesce(renewed_at, acquired_at) < {Now} - make_interval(secs => $1) as is_abandoned,
                case when isfinite(expires_at) then extract(epoch from expires_at - {Now})::float8 end as remaining, renewed_at
            from {lease})
        select count(*) filter (where is_held), count(*) filter (where is_expired), count(*) filter (where is_abandoned), min(remaining) filter (where is_held),
            array(select name from l where is_abandoned order by renewed_at limit 5)
        from l
        """;

    /// <summary>Parameter: for how long a worker must be gone.</summary>
    public static string Idempotency(string keys) => $"""
        /* efconcurrency status.idempotency */
        with k as materialized (
            select state, created_at, state = 0 and coalesce(locked_until, created_at) < {Now} - make_interval(secs => $1) as is_gone
            from {keys} where state <> 1)
        select count(*) filter (where state = 0), count(*) filter (where state = 2), count(*) filter (where is_gone),
            extract(epoch from {Now} - min(created_at) filter (where state = 2 or is_gone))::float8
        from k
        """;

    /// <summary>
    /// The latest slot of each job, found by the primary key: the history may be long. A slot is late when its runner has neither completed nor
    /// extended it in time. Parameter: for how long.
    /// </summary>
    public static string Slots(string slots) => $"""
        /* efconcurrency status.slots */
        with recursive job as (
            (select s.job from {slots} s order by s.job limit 1)
            union all
            select (select s.job from {slots} s where s.job > j.job order by s.job limit 1) from job j where j.job is not null),
        latest as materialized (
            select s.job, s.completed_at is null and s.expires_at > {Now} as is_running,
                s.completed_at is null and s.expires_at <= {Now} - make_interval(secs => $1) as is_late
            from job j
            cross join lateral (select n.slot_at from {slots} n where n.job = j.job order by n.slot_at desc limit 1) n
            join {slots} s on s.job = j.job and s.slot_at = n.slot_at)
        select count(distinct job), count(*) filter (where is_running), count(*) filter (where is_late), array(select distinct job from latest where is_late order by 1 limit 5)
        from latest
        """;

    /// <summary>
    /// What each sink has not been given. Beyond the snapshot of a cursor by the index, in its order, and no more than so many rows; then what was
    /// still open in that snapshot. Not from the snapshot's xmin on: a transaction that stays open for long would have all that came after it read again.
    /// One row at least, which tells whether there is anything in the log.
    /// </summary>
    public static string Outbox(string log, string cursor, string pending, string owner) => $"""
        /* efconcurrency status.outbox */
        with lanes as materialized (
            select sink, lane, snap::pg_snapshot as snap, planned_to::pg_snapshot as planned_to, last_id from {cursor}),
        waiting as materialized (
            select sink, count(*) filter (where state = 0) as retrying, count(*) filter (where state = 1) as delayed, count(*) filter (where state = 2) as dead,
                min(created_at) filter (where state = 0) as oldest
            from {pending} group by sink),
        live as materialized (
            select sink, count(*) filter (where live_until > {Now}) as dispatchers, max(failure) filter (where live_until > {Now}) as failure from {owner} group by sink),
        sinks as materialized (
            select n.sink,
                (select pg_snapshot_xmax(l.snap) from lanes l where l.sink = n.sink order by 1 limit 1) as seen_to,
                array(select distinct x from lanes l, pg_snapshot_xip(l.snap) x where l.sink = n.sink) as open_then
            from (select sink from lanes union select sink from waiting) n)
        select exists (select from {log}), s.sink, u.undelivered, u.beyond >= {MostRows}, extract(epoch from {Now} - least(u.oldest, w.oldest))::float8,
            coalesce(w.retrying, 0), coalesce(w.delayed, 0), coalesce(w.dead, 0), coalesce(v.dispatchers, 0), v.failure
        from (values (1)) one
        left join (sinks s
            cross join lateral (
                select count(*) filter (where m.is_open) as undelivered, count(*) filter (where m.is_beyond) as beyond, min(m.created_at) filter (where m.is_open) as oldest
                from (
                    select o.created_at, o.is_beyond,
                        not pg_visible_in_snapshot(o.tx, l.snap) and (l.planned_to is null or not pg_visible_in_snapshot(o.tx, l.planned_to) or o.id > l.last_id) as is_open
                    from (
                        (select tx, id, lane, created_at, true as is_beyond from {log} where tx >= s.seen_to order by tx limit {MostRows})
                        union all
                        select tx, id, lane, created_at, false from {log} where tx = any(s.open_then) and tx < s.seen_to
                    ) o join lanes l on l.sink = s.sink and l.lane = o.lane
                ) m) u
            left join waiting w on w.sink = s.sink
            left join live v on v.sink = s.sink) on true
        order by s.sink
        """;
}
