using System.Globalization;

namespace EfConcurrency.Inbox;

/// <summary>All SQL of the room.</summary>
internal static class InboxSql
{
    /// <summary>How the server names a refusal of <see cref="AcceptWithSave"/>; followed by the statement's number and the database's time.</summary>
    public const string Duplicate = "efconcurrency_inbox_duplicate";

    /// <inheritdoc cref="Duplicate"/>
    public const string OutsideWindow = "efconcurrency_inbox_outside_window";

    /// <summary>
    /// Accepts messages of one consumer; returns the database's time, what is new, and with what a lost reply to the commit can be settled
    /// (null when nothing is new). A concurrent duplicate waits here until the first copy's transaction has ended. In the order of the key, so
    /// that two batches with the same messages do not wait for each other in a circle. The clock is read by the statement, not at the start of the
    /// transaction, which may be of yesterday. Parameters: $1 consumer, $2 slots, $3 ids, $4 foreign ids, $5 times in the ids.
    /// </summary>
    public static string Accept(InboxTable t) => $"""
        /* efconcurrency inbox.accept */
        with clock as materialized (select clock_timestamp() as now),
        accepted as (
            insert into {t.Name} as r ({t.Slot}, {t.Consumer}, {t.MessageId}, {t.ForeignId})
            select m.slot, $1, m.id, m.foreign_id
            from clock, unnest($2, $3, $4, $5) as m(slot, id, foreign_id, sent_at)
            where {IsInside(t, "m.sent_at")}
            order by m.slot, m.id, m.foreign_id
            on conflict do nothing
            returning r.{t.MessageId} as id, r.{t.ForeignId} as foreign_id)
        select clock.now, a.ids, a.foreign_ids,
            case when a.ids is not null then pg_current_xact_id()::text end,
            case when a.ids is not null then substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) end
        from clock, (select array_agg(accepted.id) as ids, array_agg(accepted.foreign_id) as foreign_ids from accepted) a
        """;

    /// <summary>
    /// Accepts a message in the batch of a save. Whatever the transaction mode (in one round trip the batch is committed before the client
    /// sees an answer), a refusal must undo the save, so the server raises it: a cast that fails, because only PL/pgSQL can raise by itself and the
    /// guard function need not be installed. CASE evaluates it in no other case, as it is not constant.
    /// Parameters: {0} slot, {1} consumer, {2} id, {3} foreign id, {4} time in the id, {5} number of the statement.
    /// https://www.postgresql.org/docs/current/sql-expressions.html#SYNTAX-EXPRESS-EVAL
    /// </summary>
    public static string AcceptWithSave(InboxTable t) => $$"""
        /* efconcurrency inbox.accept-with-save */
        with clock as materialized (select clock_timestamp() as now),
        accepted as (
            insert into {{t.Name}} ({{t.Slot}}, {{t.Consumer}}, {{t.MessageId}}, {{t.ForeignId}})
            select {0}, {1}, {2}, {3} from clock
            where {{IsInside(t, "{4}::timestamptz")}}
            on conflict do nothing
            returning 1)
        select case when exists (select from accepted) then 1
            else (case when {{IsInside(t, "{4}::timestamptz")}} then '{{Duplicate}}' else '{{OutsideWindow}}' end || ' ' || {5} || ' ' || extract(epoch from clock.now))::integer end
        from clock
        """;

    private static string IsInside(InboxTable t, string sentAt) => string.Create(
        CultureInfo.InvariantCulture,
        $"({sentAt} is null or {sentAt} between clock.now - interval '{t.WindowDays * 24} hours' and clock.now + interval '{InboxKey.MaxClockSkew.TotalHours} hours')");
}
