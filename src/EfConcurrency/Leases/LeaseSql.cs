using EfConcurrency.Fencing;

namespace EfConcurrency.Leases;

/// <summary>All SQL of the room, for one lease table. Every statement is one round trip, in a transaction of its own.</summary>
/// <param name="Table">The quoted table.</param>
internal sealed record LeaseSql(string Table)
{
    /// <summary>
    /// A lease that a crash of the server forgets is two holders: whatever the database's default, these commits wait for the disk.
    /// <c>remote_apply</c> waits for more, and stays.
    /// </summary>
    private const string Durable = "set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, true)";

    /// <summary>In seconds. Subtracted as numbers: infinite times can't be.</summary>
    private const string Remaining = $"extract(epoch from {TokenTable.ExpiresAt})::float8 - extract(epoch from clock_timestamp())::float8";

    /// <summary>
    /// Takes a lease that is free, or makes it. Writes nothing, not even a transaction id, while another holds it. The token's high bits are
    /// the timeline of the write-ahead log, which a failover raises: a token that an asynchronous standby had not received yet is never given
    /// out again. <c>pg_walfile_name</c> fails on a standby, so none is issued there.
    /// The first insert has no conflict target because there are two unique indexes.
    /// Parameters: name, holder, info, time to live in seconds, lock timeout.
    /// </summary>
    public string Acquire { get; } = $"""
        /* efconcurrency leases.acquire */
        with settings as materialized (
            select {Durable}, set_config('lock_timeout', $5, true), ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint << 40 as epoch),
        taken as (
            update {Table} l set fencing_token = greatest(l.fencing_token, s.epoch) + 1, holder = $2, holder_info = $3, acquired_at = clock_timestamp(),
                renewed_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => $4)
            from settings s where l.name = $1 and l.expires_at <= clock_timestamp()
            returning l.fencing_token, l.holder_info, l.expires_at),
        made as (
            insert into {Table} (name, fencing_token, holder, holder_info, acquired_at, renewed_at, expires_at)
            select $1, s.epoch + 1, $2, $3, clock_timestamp(), clock_timestamp(), clock_timestamp() + make_interval(secs => $4) from settings s
            where not exists (select 1 from {Table} where name = $1)
            on conflict do nothing
            returning fencing_token, holder_info, expires_at)
        select true, fencing_token, holder_info, {Remaining} from taken
        union all select true, fencing_token, holder_info, {Remaining} from made
        union all select false, fencing_token, holder_info, {Remaining} from {Table}
            where name = $1 and not exists (select 1 from taken) and not exists (select 1 from made)
        """;

    /// <summary>Extends a lease that is still held. No row: it was lost. Parameters: name, token, holder, time to live in seconds.</summary>
    public string Renew { get; } = $"""
        /* efconcurrency leases.renew */
        with settings as materialized (select {Durable})
        update {Table} l set expires_at = clock_timestamp() + make_interval(secs => $4), renewed_at = clock_timestamp()
        from settings s where l.name = $1 and l.fencing_token = $2 and l.holder = $3
        returning extract(epoch from l.expires_at - clock_timestamp())::float8
        """;

    /// <summary>Frees a lease that is still held. No row: it was lost. Parameters: name, token, holder.</summary>
    public string Release { get; } = $"""
        /* efconcurrency leases.release */
        with settings as materialized (select {Durable})
        update {Table} l set expires_at = '-infinity', holder = null
        from settings s where l.name = $1 and l.fencing_token = $2 and l.holder = $3
        returning 1
        """;

    /// <summary>
    /// Frees a lease whoever holds it, and raises the token, so that the holder is fenced from this commit on. Waits for fenced
    /// transactions in flight. Parameters: name, lock timeout, the token that it must have (null: any).
    /// </summary>
    public string Force { get; } = $"""
        /* efconcurrency leases.force */
        with settings as materialized (
            select {Durable}, set_config('lock_timeout', $2, true), ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint << 40 as epoch),
        before as (select holder_info from {Table} where name = $1)
        update {Table} l set fencing_token = greatest(l.fencing_token, s.epoch) + 1, holder = null, expires_at = '-infinity'
        from settings s where l.name = $1 and ($3::bigint is null or l.fencing_token = $3)
        returning l.fencing_token, (select holder_info from before)
        """;

    /// <summary>Reads a lease. Parameter: name.</summary>
    public string Describe { get; } = $"/* efconcurrency leases.describe */ {Columns} from {Table} where name = $1";

    /// <summary>Reads all leases.</summary>
    public string List { get; } = $"/* efconcurrency leases.list */ {Columns} from {Table} order by name";

    private const string Columns = $"select name, fencing_token, holder, holder_info, acquired_at, renewed_at, {Remaining}";
}
