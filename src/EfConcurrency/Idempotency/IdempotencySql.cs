using R = EfConcurrency.Idempotency.IdempotencyRecord;

namespace EfConcurrency.Idempotency;

/// <summary>
/// All SQL of the room. $1 and $2 always are scope and key; lengths of time are in microseconds. Only the database's clock is asked.
/// </summary>
internal sealed class IdempotencySql
{
    public const string ScopeCheck = "octet_length(scope) <= 200";

    public const string KeyCheck = "octet_length(key) between 1 and 255";

    public const string StateCheck = "state between 0 and 2";

    /// <summary>Lets the next statement wait for another's transaction no longer than $1 (ms). What was set before stands aside in a setting of ours.</summary>
    public const string LimitWait = """
        /* efconcurrency idempotency.limit-wait */
        select set_config('efc.lock_timeout', current_setting('lock_timeout'), true), set_config('lock_timeout', $1, true)
        """;

    /// <summary>The body's statements wait as long as they did before.</summary>
    public const string RestoreWait = """
        /* efconcurrency idempotency.restore-wait */
        select set_config('lock_timeout', current_setting('efc.lock_timeout'), true)
        """;

    /// <summary>A claim that is lost with the server's memory would let what is done elsewhere be done twice. What is stricter than "on" stays.</summary>
    public const string Durable = """
        /* efconcurrency idempotency.durable */
        select set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, true)
        """;

    public const string SavepointBeforeClaim = "/* efconcurrency idempotency.savepoint-before-claim */ savepoint efc_before_claim";

    public const string RollBackClaim = "/* efconcurrency idempotency.roll-back-claim */ rollback to savepoint efc_before_claim";

    public const string ReleaseClaim = "/* efconcurrency idempotency.release-claim */ release savepoint efc_before_claim";

    public const string SavepointAfterClaim = "/* efconcurrency idempotency.savepoint-after-claim */ savepoint efc_after_claim";

    public const string RollBackWork = "/* efconcurrency idempotency.roll-back-work */ rollback to savepoint efc_after_claim";

    public const string Commit = "COMMIT";

    /// <summary>What the server complains about when it is to store a response under a claim that is lost.</summary>
    public const string ClaimLost = "efconcurrency: idempotency claim lost";

    /// <summary>With this, a lost reply to the commit can be settled. No id is given out to a transaction that has written nothing.</summary>
    private const string Ticket = "pg_current_xact_id_if_assigned()::text, substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)";

    private const string Now = "(select clock_timestamp() as now offset 0) t";

    private readonly IdempotencyTable _table;

    public IdempotencySql(IdempotencyTable table)
    {
        _table = table;
        var isTheRow = $"r.{table[nameof(R.Scope)]} = $1 and r.{table[nameof(R.Key)]} = $2";
        var lockedUntil = $"r.{table[nameof(R.LockedUntil)]}";
        var isLapsed = $"({lockedUntil} is null or {lockedUntil} <= clock_timestamp())";
        var state = $"r.{table[nameof(R.State)]}";
        var isInProgress = $"{state} = {(short)IdempotencyState.InProgress}";
        var isExpired = $"(r.{table[nameof(R.ExpiresAt)]} <= clock_timestamp() and ({state} = {(short)IdempotencyState.Completed} or {isInProgress} and {isLapsed}))";
        var isOurs = $"{isTheRow} and r.{table[nameof(R.Fence)]} = $3 and {isInProgress}";
        var look = $$"""
            r.{{table[nameof(R.State)]}}, r.{{table[nameof(R.Fence)]}}, r.{{table[nameof(R.Owner)]}},
            r.{{table[nameof(R.FingerprintVersion)]}} <> $4 or r.{{table[nameof(R.Fingerprint)]}} = $3, {{isLapsed}}, {{isExpired}},
            (extract(epoch from {{lockedUntil}} - clock_timestamp()) * 1000000)::bigint, r.{{table[nameof(R.RecoveryPoint)]}},
            r.{{table[nameof(R.ResponseStatus)]}}, r.{{table[nameof(R.ResponseHeaders)]}}, r.{{table[nameof(R.ResponseBody)]}},
            r.{{table[nameof(R.ProtectionKeyId)]}}, r.{{table[nameof(R.CompletedAt)]}}
            """;

        Claim = $$"""
            /* efconcurrency idempotency.claim */
            insert into {{table.Name}} as r (
                {{Columns(nameof(R.Scope), nameof(R.Key), nameof(R.Fingerprint), nameof(R.FingerprintVersion), nameof(R.State), nameof(R.Fence))}},
                {{Columns(nameof(R.Owner), nameof(R.Attempts), nameof(R.LockedUntil), nameof(R.CreatedAt), nameof(R.ExpiresAt))}})
            select $1, $2, $3, $4, 0, (extract(epoch from t.now) * 1000000)::bigint, $5, 1, {{After("$6")}}, t.now, {{After("$7")}}
            from {{Now}}
            on conflict ({{Columns(nameof(R.Scope), nameof(R.Key))}}) do nothing
            returning r.{{table[nameof(R.Fence)]}}, {{Ticket}}
            """;

        Look = $"/* efconcurrency idempotency.look */ select {look} from {table.Name} r where {isTheRow}";

        Reset = $$"""
            /* efconcurrency idempotency.reset */
            update {{table.Name}} r set
                {{table[nameof(R.Fingerprint)]}} = $3, {{table[nameof(R.FingerprintVersion)]}} = $4, {{table[nameof(R.State)]}} = 0,
                {{table[nameof(R.Fence)]}} = r.{{table[nameof(R.Fence)]}} + 1, {{table[nameof(R.Owner)]}} = $5, {{table[nameof(R.Attempts)]}} = 1,
                {{table[nameof(R.LockedUntil)]}} = {{After("$6")}}, {{table[nameof(R.CreatedAt)]}} = t.now, {{table[nameof(R.ExpiresAt)]}} = {{After("$7")}},
                {{string.Join(", ", Cleared.Select(c => $"{table[c]} = null"))}}
            from {{Now}}
            where {{isTheRow}} and r.{{table[nameof(R.Fence)]}} = $8 and {{isExpired}}
            returning r.{{table[nameof(R.Fence)]}}, {{Ticket}}, r.{{table[nameof(R.Attempts)]}}, r.{{table[nameof(R.RecoveryPoint)]}}, r.{{table[nameof(R.RecoveryData)]}}
            """;

        TakeOver = $$"""
            /* efconcurrency idempotency.take-over */
            update {{table.Name}} r set
                {{table[nameof(R.Fence)]}} = r.{{table[nameof(R.Fence)]}} + 1, {{table[nameof(R.Owner)]}} = $3,
                {{table[nameof(R.Attempts)]}} = r.{{table[nameof(R.Attempts)]}} + 1, {{table[nameof(R.LockedUntil)]}} = {{After("$4")}}
            from {{Now}}
            where {{isTheRow}} and r.{{table[nameof(R.Fence)]}} = $5 and {{isInProgress}} and ({{isLapsed}} or r.{{table[nameof(R.Owner)]}} = $3)
            returning r.{{table[nameof(R.Fence)]}}, {{Ticket}}, r.{{table[nameof(R.Attempts)]}}, r.{{table[nameof(R.RecoveryPoint)]}}, r.{{table[nameof(R.RecoveryData)]}}
            """;

        Complete = $$"""
            /* efconcurrency idempotency.complete */
            with done as (
                update {{table.Name}} r set
                    {{table[nameof(R.State)]}} = {{(short)IdempotencyState.Completed}}, {{table[nameof(R.ResponseStatus)]}} = $4, {{table[nameof(R.ResponseHeaders)]}} = $5,
                    {{table[nameof(R.ResponseBody)]}} = $6, {{table[nameof(R.ProtectionKeyId)]}} = $7,
                    {{table[nameof(R.CompletedAt)]}} = clock_timestamp(), {{table[nameof(R.LockedUntil)]}} = null
                where {{isOurs}}
                returning 1)
            select case when count(*) = 1 then 1 else ('{{ClaimLost}}, rows: ' || count(*))::integer end from done
            """;

        InsertCompleted = $$"""
            /* efconcurrency idempotency.insert-completed */
            insert into {{table.Name}} as r (
                {{Columns(nameof(R.Scope), nameof(R.Key), nameof(R.Fingerprint), nameof(R.FingerprintVersion), nameof(R.Owner), nameof(R.ResponseStatus))}},
                {{Columns(nameof(R.ResponseHeaders), nameof(R.ResponseBody), nameof(R.ProtectionKeyId), nameof(R.ExpiresAt), nameof(R.State), nameof(R.Fence))}},
                {{Columns(nameof(R.Attempts), nameof(R.CreatedAt), nameof(R.CompletedAt))}})
            select {0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, t.now + {9} * interval '1 microsecond', 1, (extract(epoch from t.now) * 1000000)::bigint, 1, t.now, t.now
            from {{Now}}
            returning r.{{table[nameof(R.Fence)]}}
            """;

        DeleteIfExpired = $"/* efconcurrency idempotency.delete-if-expired */ delete from {table.Name} r where {isTheRow} and {isExpired}";

        HoldInSave = $$"""
            /* efconcurrency idempotency.hold-in-save */
            update {{table.Name}} r set {{table[nameof(R.LockedUntil)]}} = clock_timestamp() + {3} * interval '1 microsecond'
            where r.{{table[nameof(R.Scope)]}} = {0} and r.{{table[nameof(R.Key)]}} = {1} and r.{{table[nameof(R.Fence)]}} = {2} and {{isInProgress}}
            returning 1
            """;

        Begin = $$"""
            /* efconcurrency idempotency.begin-step */
            update {{table.Name}} r set {{table[nameof(R.RecoveryPoint)]}} = $4, {{table[nameof(R.LockedUntil)]}} = {{After("$5")}}
            from {{Now}} where {{isOurs}} returning r.{{table[nameof(R.Fence)]}}, {{Ticket}}
            """;

        Record = $$"""
            /* efconcurrency idempotency.record-step */
            with done as (
                update {{table.Name}} r set
                    {{table[nameof(R.RecoveryData)]}} = coalesce(r.{{table[nameof(R.RecoveryData)]}}, '{}') || jsonb_build_object($4::text, $6::jsonb),
                    {{table[nameof(R.LockedUntil)]}} = {{After("$5")}}
                from {{Now}} where {{isOurs}} returning 1)
            select case when count(*) = 1 then 1 else ('{{ClaimLost}}, rows: ' || count(*))::integer end from done
            """;

        Extend = $$"""
            /* efconcurrency idempotency.extend */
            update {{table.Name}} r set {{table[nameof(R.LockedUntil)]}} = {{After("$4")}} from {{Now}} where {{isOurs}} returning r.{{table[nameof(R.Fence)]}}, {{Ticket}}
            """;

        Release = $"/* efconcurrency idempotency.release */ update {table.Name} r set {table[nameof(R.LockedUntil)]} = null where {isOurs} returning r.{table[nameof(R.Fence)]}, {Ticket}";

        MarkAmbiguous = $$"""
            /* efconcurrency idempotency.mark-ambiguous */
            update {{table.Name}} r set {{table[nameof(R.State)]}} = {{(short)IdempotencyState.NeedsResolution}}, {{table[nameof(R.RecoveryPoint)]}} = $4, {{table[nameof(R.LockedUntil)]}} = null
            where {{isOurs}} returning r.{{table[nameof(R.Fence)]}}, {{Ticket}}
            """;

        IsOurs = $"/* efconcurrency idempotency.is-ours */ select {state} = {(short)IdempotencyState.Completed} and r.{table[nameof(R.Owner)]} = $3 from {table.Name} r where {isTheRow}";
    }

    /// <summary>
    /// Claims a new key: a row, or none when it is known. Waits for another's uncommitted claim. The row is looked for by a statement of its own
    /// (<see cref="Look"/>): in a statement with this one (a CTE) it would have the snapshot from before the wait, and see nothing.
    /// Parameters: $3 fingerprint, $4 its version, $5 owner, $6 lease or null, $7 retention.
    /// </summary>
    public string Claim { get; }

    /// <summary>What stands for the key now. Parameters: $3 fingerprint, $4 its version.</summary>
    public string Look { get; }

    /// <summary>Begins a new life of an expired key. Parameters: as <see cref="Claim"/>, $8 the fence seen.</summary>
    public string Reset { get; }

    /// <summary>Claims what another has left. Parameters: $3 owner, $4 lease or null, $5 the fence seen.</summary>
    public string TakeOver { get; }

    /// <summary>
    /// Keeps the response. When the claim is lost it fails (22P02, with <see cref="ClaimLost"/>), so that the COMMIT behind it in the same batch does
    /// not happen.
    /// Parameters: $3 fence, $4 status, $5 headers, $6 body, $7 protection key.
    /// </summary>
    public string Complete { get; }

    /// <summary>Settles a commit whose reply was lost, when the server can't. Parameter: $3 owner.</summary>
    public string IsOurs { get; }

    /// <summary>
    /// Key and response in one, for a save: 23505 when the key is known. Parameters: {0} scope, {1} key, {2} fingerprint, {3} its version, {4} owner,
    /// {5} status, {6} headers, {7} body, {8} protection key, {9} retention.
    /// </summary>
    public string InsertCompleted { get; }

    /// <summary>Makes room for a new life of the key.</summary>
    public string DeleteIfExpired { get; }

    /// <summary>Refuses a save under a claim that is lost, and holds it to the end of its transaction. Parameters: {0} scope, {1} key, {2} fence, {3} lease.</summary>
    public string HoldInSave { get; }

    /// <summary>Begins a step: fences, and locks the row to the end of the transaction, so that nobody takes over meanwhile. Parameters: $3 fence, $4 step, $5 lease.</summary>
    public string Begin { get; }

    /// <summary>Keeps the result of a step. Fails like <see cref="Complete"/>. Parameters: $3 fence, $4 step, $5 lease, $6 result.</summary>
    public string Record { get; }

    /// <summary>A sign of life. Parameters: $3 fence, $4 lease.</summary>
    public string Extend { get; }

    /// <summary>Lets the next one take over at once, at the recovery point that was reached. Parameter: $3 fence.</summary>
    public string Release { get; }

    /// <summary>Nobody knows whether a step took effect. Parameters: $3 fence, $4 step.</summary>
    public string MarkAmbiguous { get; }

    private static readonly string[] Cleared =
    [
        nameof(R.RecoveryPoint), nameof(R.RecoveryData), nameof(R.ResponseStatus), nameof(R.ResponseHeaders), nameof(R.ResponseBody),
        nameof(R.ProtectionKeyId), nameof(R.CompletedAt),
    ];

    private static string After(string parameter) => $"t.now + {parameter}::bigint * interval '1 microsecond'";

    private string Columns(params string[] properties) => string.Join(", ", properties.Select(p => _table[p]));
}
