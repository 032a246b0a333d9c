namespace EfConcurrency.Outbox;

/// <summary>Keeps what was delivered, and what was not, in one statement: a dispatcher that lost the lane changes nothing.</summary>
internal sealed class OutboxAckSql
{
    public OutboxAckSql(OutboxTable outbox)
    {
        var cursor = outbox.Cursor;
        var pending = outbox.Pending;

        var moveOn = $"""
            {cursor.Name} c set {cursor.Snapshot} = a.snap, {cursor.PlannedTo} = a.planned_to, {cursor.LastId} = a.last_id,
                {cursor.LeaseUntil} = clock_timestamp() + make_interval(secs => $7)
            from unnest($2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]) a (lane, epoch, snap, planned_to, last_id)
            where c.{cursor.Sink} = $1 and c.{cursor.Lane} = a.lane and c.{cursor.Epoch} = a.epoch and {OutboxLeaseSql.Timeline} = $8
            returning c.{cursor.Lane} as lane
            """;

        Ack = $"""
            /* efconcurrency outbox.ack */
            update {moveOn}
            """;

        AckWithChanges = $"""
            /* efconcurrency outbox.ack-with-changes */
            with acked as (
                update {moveOn}),
            parked as (
                insert into {pending.Name} ({pending.Sink}, {pending.Id}, {pending.Lane}, {pending.MessageId}, {pending.Key}, {pending.Topic}, {pending.Type}, {pending.Headers},
                    {pending.Payload}, {pending.CreatedAt}, {pending.DueAt}, {pending.Attempts}, {pending.LastError}, {pending.State})
                select $1, p.id, p.lane, p.message_id, p.key, p.topic, p.type, p.headers::jsonb, p.payload, p.created_at,
                    coalesce(p.due_at, clock_timestamp() + make_interval(secs => p.delay)), p.attempts, p.last_error, p.state
                from unnest($9::bigint[], $10::smallint[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bytea[], $17::timestamptz[], $18::timestamptz[],
                    $19::float8[], $20::int[], $21::text[], $22::smallint[])
                    p (id, lane, message_id, key, topic, type, headers, payload, created_at, due_at, delay, attempts, last_error, state)
                join acked using (lane)
                on conflict do nothing),
            changed as (
                update {pending.Name} p set {pending.DueAt} = clock_timestamp() + make_interval(secs => n.delay), {pending.Attempts} = n.attempts,
                    {pending.LastError} = n.last_error, {pending.State} = n.state
                from unnest($23::bigint[], $24::smallint[], $25::float8[], $26::int[], $27::text[], $28::smallint[]) n (id, lane, delay, attempts, last_error, state)
                join acked using (lane)
                -- What was parked while it was being sent stays parked.
                where p.{pending.Sink} = $1 and p.{pending.Id} = n.id and p.{pending.State} < 2),
            done as (
                delete from {pending.Name} p using unnest($29::bigint[], $30::smallint[]) d (id, lane) join acked using (lane)
                where p.{pending.Sink} = $1 and p.{pending.Id} = d.id)
            select lane from acked
            """;
    }

    /// <summary>
    /// Moves cursors on and renews their leases; returns the lanes that are still ours. Parameters: sink; lane, epoch, snapshot, planned to and last
    /// id of each; seconds; the timeline under which they were acquired.
    /// </summary>
    public string Ack { get; }

    /// <summary>
    /// The same, and what became of single messages. Further parameters: columns of the messages that are now pending, new values of those that
    /// still are, and those that are no longer.
    /// </summary>
    public string AckWithChanges { get; }
}
