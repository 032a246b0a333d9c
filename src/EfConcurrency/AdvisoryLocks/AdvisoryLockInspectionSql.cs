namespace EfConcurrency.AdvisoryLocks;

/// <summary>All SQL of the room that looks at locks. Parameters are positional.</summary>
internal static class AdvisoryLockInspectionSql
{
    /// <summary>How the server shows a session; null where there is none (a prepared transaction).</summary>
    private const string Session = "a.backend_start, a.xact_start, a.application_name, a.usename::text, host(a.client_addr), a.state, a.query";

    /// <summary>One number from the halves that pg_locks shows. https://www.postgresql.org/docs/current/view-pg-locks.html</summary>
    private const string Key = "(l.classid::bigint << 32) | l.objid::bigint";

    private const string InThisDatabase = "l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database())";

    /// <summary>Without this right, other roles' sessions show neither when they began nor what they run.</summary>
    public const string MayInspect = "/* efconcurrency advisory-locks.may-inspect */ select current_user::text, pg_has_role(current_user, 'pg_read_all_stats', 'usage')";

    /// <summary>All advisory locks of this database, held and waited for; first who holds, then who waits longest.</summary>
    public const string Locks = $"""
        /* efconcurrency advisory-locks.locks */
        select {Key}, l.objsubid = 2, l.mode = 'ShareLock', l.granted, l.waitstart, coalesce(l.pid, 0), {Session}
        from pg_locks l left join pg_stat_activity a on a.pid = l.pid
        where {InThisDatabase}
        order by l.objsubid, 1, l.granted desc, l.waitstart, l.pid
        """;

    /// <summary>All sessions of this database that wait for a lock of any kind, and those they wait for.</summary>
    public const string Blocking = $$"""
        /* efconcurrency advisory-locks.blocking */
        with waiting as materialized (
            select l.pid, l.locktype, {{Key}} as key, l.objsubid = 2 as is_pair, l.relation::regclass::text as relation, l.waitstart, pg_blocking_pids(l.pid) as blockers
            from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where not l.granted and a.datname = current_database()
        )
        select i.pid, w.locktype, w.key, w.is_pair, w.relation, w.waitstart, coalesce(w.blockers, '{}'), {{Session}}
        from (select pid from waiting union select unnest(blockers) from waiting) i
        left join waiting w on w.pid = i.pid
        left join pg_stat_activity a on a.pid = i.pid and i.pid <> 0
        order by i.pid
        """;

    /// <summary>
    /// Ends the session only if it is the one that was seen, and still holds the lock: process ids are used again. Waits up to 5 s until it is gone.
    /// Parameters: process id, start of the session, key, whether it is a pair, whether the lock is shared.
    /// </summary>
    public const string Terminate = $"""
        /* efconcurrency advisory-locks.terminate */
        select pg_terminate_backend(l.pid, 5000)
        from pg_locks l join pg_stat_activity a on a.pid = l.pid
        where {InThisDatabase} and l.granted and l.pid = $1 and a.backend_start = $2
          and {Key} = $3 and (l.objsubid = 2) = $4 and (l.mode = 'ShareLock') = $5
        """;

    /// <summary>The names of the numbers that are locked now.</summary>
    public static string Names(AdvisoryLockNameTable table) => $"""
        /* efconcurrency advisory-locks.names */
        select n.{table.Key}, case n.{table.Namespace} when '' then n.{table.Name} else n.{table.Namespace} || '/' || n.{table.Name} end
        from {table.Table} n where n.{table.Key} in (select {Key} from pg_locks l where {InThisDatabase} and l.objsubid = 1)
        """;

    /// <summary>Adds what is missing, and tells what was there before. Parameters: keys, namespaces, names.</summary>
    public static string RecordNames(AdvisoryLockNameTable table) => $"""
        /* efconcurrency advisory-locks.record-names */
        with added as (
            insert into {table.Table} ({table.Key}, {table.Namespace}, {table.Name})
            select u.key, u.namespace, u.name from unnest($1::bigint[], $2::text[], $3::text[]) as u(key, namespace, name)
            where not exists (select 1 from {table.Table} n where n.{table.Key} = u.key)
            on conflict do nothing
        )
        select n.{table.Key}, n.{table.Namespace}, n.{table.Name} from {table.Table} n where n.{table.Key} = any ($1)
        """;
}
