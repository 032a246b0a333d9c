namespace EfConcurrency.JobSlots;

/// <summary>All SQL of the room. <c>{0}</c>, <c>{1}</c> … stand for parameters. Lengths of time are in microseconds.</summary>
internal static class JobSlotsSql
{
    /// <summary>A claim or a completion that is lost with the server's memory would run a job twice. What is stricter than "on" stays.</summary>
    private const string Durable =
        "set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, true)";

    /// <summary>The current slot of a schedule. Parameters: {1} stride, {2} origin.</summary>
    public const string CurrentSlot = "date_bin({1} * interval '1 microsecond', clock_timestamp(), {2})";

    /// <summary>A slot that the caller named. Parameter: {1} the slot.</summary>
    public const string NamedSlot = "{1}";

    /// <summary>
    /// Lets the claimants of one job pass one after the other, until their commit, so that each sees which runner numbers are taken and
    /// none fails over a number while another is free. Who finds no number free does not queue.
    /// Parameters: those of Claim.
    /// </summary>
    public static string Queue(JobSlotTable t, string slot) => $$"""
        /* efconcurrency job-slots.queue */
        select pg_advisory_xact_lock({9})
        where (
            select count(*) from {{t.Name}} s
            where s.{{t.Job}} = {0} and s.{{t.SlotAt}} = (select {{slot}}) and s.{{t.SlotNo}} < {6} and not ({7} and {{IsExpired(t)}})) < {6}
        """;

    /// <summary>
    /// Claims the lowest runner number that is free or whose claim has expired; returns the row, or none. Reads first: who finds nothing
    /// to claim writes nothing, not even to the log. Parameters: {0} job, {1} and {2} of the slot, {3} claim id, {4} info,
    /// {5} lease time, {6} runners, {7} may a claim that has expired be taken over (the other's, and later this one), {8} is it complete
    /// with the commit, {9} a number for the job.
    /// </summary>
    public static string Claim(JobSlotTable t, string slot) => $$"""
        /* efconcurrency job-slots.claim */
        with setting as materialized (select {{Durable}}),
        slot as materialized (select {{slot}} as slot_at from setting),
        taken as materialized (
            select s.{{t.SlotNo}} as no, {7} and {{IsExpired(t)}} as is_expired
            from {{t.Name}} s
            where s.{{t.Job}} = {0} and s.{{t.SlotAt}} = (select slot_at from slot)),
        chosen as materialized (
            select n.no, t.no is not null as is_taken
            from generate_series(0, {6} - 1) n(no) left join taken t on t.no = n.no
            where t.no is null or t.is_expired
            order by n.no limit 1),
        claimed as (
            insert into {{t.Name}} as s (
                {{t.Job}}, {{t.SlotAt}}, {{t.SlotNo}}, {{t.Attempt}}, {{t.ClaimedBy}}, {{t.ClaimedInfo}},
                {{t.ClaimedAt}}, {{t.ExpiresAt}}, {{t.CanReclaim}}, {{t.CompletedAt}})
            select {0}, slot.slot_at, chosen.no, 1, {3}, {4},
                clock_timestamp(), {{In(5)}}, {7}, case when {8} then clock_timestamp() end
            from slot, chosen where not chosen.is_taken
            on conflict do nothing
            returning {{t.Columns}}),
        reclaimed as (
            update {{t.Name}} s set
                {{t.Attempt}} = s.{{t.Attempt}} + 1, {{t.ClaimedBy}} = {3}, {{t.ClaimedInfo}} = {4},
                {{t.ClaimedAt}} = clock_timestamp(), {{t.ExpiresAt}} = {{In(5)}}, {{t.CompletedAt}} = case when {8} then clock_timestamp() end
            from slot, chosen
            where chosen.is_taken and s.{{t.Job}} = {0} and s.{{t.SlotAt}} = slot.slot_at and s.{{t.SlotNo}} = chosen.no and {{IsExpired(t)}}
            returning {{t.Columns}})
        select * from claimed union all select * from reclaimed
        """;

    /// <summary>
    /// All claims of a slot. A statement of its own, with a snapshot of its own: who lost a race sees here against whom. The subquery makes
    /// a volatile expression one value, with which the index can be searched. Parameters: {0} job, {1} and {2} of the slot.
    /// </summary>
    public static string State(JobSlotTable t, string slot) => $$"""
        /* efconcurrency job-slots.state */
        select {{t.Columns}} from {{t.Name}} s where s.{{t.Job}} = {0} and s.{{t.SlotAt}} = (select {{slot}}) order by s.{{t.SlotNo}}
        """;

    /// <summary>Reports the work as done. Parameters: {0} job, {1} slot, {2} runner number, {3} attempt, {4} claim id, {5} outcome.</summary>
    public static string Complete(JobSlotTable t) => $$"""
        /* efconcurrency job-slots.complete */
        with setting as materialized (select {{Durable}})
        update {{t.Name}} s set {{t.CompletedAt}} = clock_timestamp(), {{t.Outcome}} = {5}
        from setting where {{IsMine(t)}}
        returning {{t.Columns}}
        """;

    /// <summary>Prolongs a claim from now on. Parameters: {0} job, {1} slot, {2} runner number, {3} attempt, {4} claim id, {5} lease time.</summary>
    public static string Extend(JobSlotTable t) => $$"""
        /* efconcurrency job-slots.extend */
        with setting as materialized (select {{Durable}})
        update {{t.Name}} s set {{t.ExpiresAt}} = {{In(5)}}
        from setting where {{IsMine(t)}}
        returning {{t.Columns}}
        """;

    /// <summary>The latest slots first. Parameters: {0} job, {1} how many.</summary>
    public static string History(JobSlotTable t) => $$"""
        /* efconcurrency job-slots.history */
        select {{t.Columns}} from {{t.Name}} s where s.{{t.Job}} = {0} order by s.{{t.SlotAt}} desc, s.{{t.SlotNo}} desc limit {1}
        """;

    public static string Jobs(JobSlotTable t) => $"/* efconcurrency job-slots.jobs */ select distinct s.{t.Job} from {t.Name} s";

    /// <summary>
    /// Deletes some old claims of a job and returns how many. A job's newest slot stays, so that it is never given out again. The conditions
    /// stand in the DELETE too, which looks again at a row that another has changed meanwhile. Parameters: {0} job, {1} age, {2} how many.
    /// </summary>
    public static string DeleteHistory(JobSlotTable t) => $$"""
        /* efconcurrency job-slots.delete-history */
        with old as materialized (
            select s.{{t.SlotAt}} as slot_at, s.{{t.SlotNo}} as slot_no
            from {{t.Name}} s
            where s.{{t.Job}} = {0}
                and s.{{t.SlotAt}} < (select least(max(n.{{t.SlotAt}}), clock_timestamp() - {1} * interval '1 microsecond') from {{t.Name}} n where n.{{t.Job}} = {0})
                and {{IsOver(t)}}
            order by s.{{t.SlotAt}} limit {2}),
        deleted as (
            delete from {{t.Name}} s using old
            where s.{{t.Job}} = {0} and s.{{t.SlotAt}} = old.slot_at and s.{{t.SlotNo}} = old.slot_no and {{IsOver(t)}}
            returning 1)
        select count(*) from deleted
        """;

    private static string In(int parameter) => $"clock_timestamp() + {{{parameter}}} * interval '1 microsecond'";

    private static string IsExpired(JobSlotTable t) => $"(s.{t.CompletedAt} is null and s.{t.CanReclaim} and s.{t.ExpiresAt} <= clock_timestamp())";

    private static string IsOver(JobSlotTable t) => $"coalesce(s.{t.CompletedAt}, s.{t.ExpiresAt}) < clock_timestamp() - {{1}} * interval '1 microsecond'";

    private static string IsMine(JobSlotTable t)
        => $"s.{t.Job} = {{0}} and s.{t.SlotAt} = {{1}} and s.{t.SlotNo} = {{2}} and s.{t.Attempt} = {{3}} and s.{t.ClaimedBy} = {{4}} and s.{t.CompletedAt} is null";
}
