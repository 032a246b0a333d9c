using System.Globalization;

namespace EfConcurrency.Outbox;

/// <summary>Who leads which lane. Every statement is one round trip, in a transaction of its own; the clock is the database's.</summary>
internal sealed class OutboxLeaseSql
{
    /// <summary>
    /// The timeline of the write-ahead log: another after a failover. What a dispatcher remembers of snapshots says nothing on another timeline,
    /// where transaction ids may have been given out anew. Fails on a standby.
    /// </summary>
    public const string Timeline = "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)";

    /// <summary>The cursor of a sink that begins with the oldest message of the log.</summary>
    public const string Beginning = "1:1:";

    public OutboxLeaseSql(OutboxTable outbox)
    {
        var cursor = outbox.Cursor;
        var owner = outbox.Owner;
        var isFree = $"{cursor.LeaseUntil} <= clock_timestamp()";

        Create = string.Create(CultureInfo.InvariantCulture, $"""
            /* efconcurrency outbox.create-cursors */
            insert into {cursor.Name} ({cursor.Sink}, {cursor.Lane}, {cursor.Snapshot})
            select $1, lane, case when $2 then '{Beginning}' else pg_current_snapshot()::text end from generate_series(0, {outbox.Lanes - 1}) lane
            on conflict do nothing
            """);

        Present = $"""
            /* efconcurrency outbox.present */
            with gone as (delete from {owner.Name} where {owner.Sink} = $1 and {owner.LiveUntil} < clock_timestamp() - interval '1 hour')
            insert into {owner.Name} ({owner.Sink}, {owner.Owner}, {owner.People}, {owner.Capacity}, {owner.LiveUntil}, {owner.Failure})
            values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5), nullif($6, ''))
            on conflict ({owner.Sink}, {owner.Owner}) do update set {owner.LiveUntil} = excluded.{owner.LiveUntil}, {owner.Failure} = excluded.{owner.Failure}
            """;

        Look = $"""
            /* efconcurrency outbox.look */
            select array(select {owner.Capacity} from {owner.Name} where {owner.Sink} = $1 and {owner.LiveUntil} > clock_timestamp()),
                (select count(*)::int from {cursor.Name} where {cursor.Sink} = $1 and ({isFree} or ({cursor.Owner} = $2 and {cursor.Lane} <> all($3))))
            """;

        // A snapshot that is ahead of the server's own comes from another server: those lanes are left alone, see Ahead.
        Acquire = $"""
            /* efconcurrency outbox.acquire */
            update {cursor.Name} c set {cursor.Owner} = $2, {cursor.Epoch} = c.{cursor.Epoch} + 1, {cursor.LeaseUntil} = clock_timestamp() + make_interval(secs => $3)
            from (
                select {cursor.Lane} as lane from {cursor.Name}
                where {cursor.Sink} = $1 and ({isFree} or ({cursor.Owner} = $2 and {cursor.Lane} <> all($5))) and {NotAhead(cursor)}
                order by {cursor.Lane} limit $4 for update skip locked) free
            where c.{cursor.Sink} = $1 and c.{cursor.Lane} = free.lane
            returning c.{cursor.Lane}, c.{cursor.Epoch}, c.{cursor.Snapshot}, c.{cursor.PlannedTo}, c.{cursor.LastId}, {Timeline}
            """;

        Ahead = $"""
            /* efconcurrency outbox.ahead */
            select count(*)::int from {cursor.Name} where {cursor.Sink} = $1 and not ({NotAhead(cursor)})
            """;

        Release = $"""
            /* efconcurrency outbox.release */
            update {cursor.Name} c set {cursor.Owner} = null, {cursor.LeaseUntil} = '-infinity'
            from unnest($2::smallint[], $3::bigint[]) l (lane, epoch)
            where c.{cursor.Sink} = $1 and c.{cursor.Lane} = l.lane and c.{cursor.Epoch} = l.epoch
            """;

        Leave = $"""
            /* efconcurrency outbox.leave */
            delete from {owner.Name} where {owner.Sink} = $1 and {owner.Owner} = $2
            """;
    }

    /// <summary>Makes the cursors that a sink lacks. Parameters: sink, whether from the beginning of the log.</summary>
    public string Create { get; }

    /// <summary>Says that a dispatcher lives. Parameters: sink, owner, its name, capacity, seconds, why its transport is down or an empty text.</summary>
    public string Present { get; }

    /// <summary>One row: capacities of the live dispatchers, number of lanes to take. Parameters: sink, owner, lanes that it leads.</summary>
    public string Look { get; }

    /// <summary>Takes lanes that are free, or were ours before a connection broke, and returns where they stand. Parameters: sink, owner, seconds, how many at most, lanes that it leads.</summary>
    public string Acquire { get; }

    /// <summary>How many lanes have come from a server that was ahead of this one. Parameter: sink.</summary>
    public string Ahead { get; }

    /// <summary>Gives lanes back. Parameters: sink, lanes, epochs.</summary>
    public string Release { get; }

    /// <summary>A dispatcher ends. Parameters: sink, owner.</summary>
    public string Leave { get; }

    private static string NotAhead(OutboxCursorTable cursor)
        => $"pg_snapshot_xmax({cursor.Snapshot}::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) and coalesce(pg_snapshot_xmax({cursor.PlannedTo}::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()), true)";
}
