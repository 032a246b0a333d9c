using R = EfConcurrency.Idempotency.IdempotencyRecord;

namespace EfConcurrency.Idempotency;

/// <summary>The SQL of those who look after the keys. Lengths of time are in microseconds.</summary>
internal sealed class IdempotencyAdminSql
{
    public IdempotencyAdminSql(IdempotencyTable table)
    {
        var isTheRow = $"r.{table[nameof(R.Scope)]} = $1 and r.{table[nameof(R.Key)]} = $2";
        var lockedUntil = $"r.{table[nameof(R.LockedUntil)]}";
        var state = $"r.{table[nameof(R.State)]}";
        var isCompleted = $"{state} = {(short)IdempotencyState.Completed}";
        var needsResolution = $"{state} = {(short)IdempotencyState.NeedsResolution}";
        var isInProgress = $"{state} = {(short)IdempotencyState.InProgress}";
        var columns = string.Join(", ", R.Columns.Select(c => $"r.{table[c]}"));
        var isStuck = $"({needsResolution} or {isInProgress} and coalesce({lockedUntil}, r.{table[nameof(R.CreatedAt)]}) < clock_timestamp() - $1 * interval '1 microsecond')";

        Find = $"/* efconcurrency idempotency.find */ select {columns} from {table.Name} r where {isTheRow}";

        Stuck = $"/* efconcurrency idempotency.stuck */ select {columns} from {table.Name} r where {isStuck} order by r.{table[nameof(R.CreatedAt)]} limit $2";

        CountStuck = $"/* efconcurrency idempotency.count-stuck */ select count(*) from {table.Name} r where {isStuck}";

        DeleteExpired = $$"""
            /* efconcurrency idempotency.delete-expired */
            delete from {{table.Name}} r where r.ctid = any(array(
                select r.ctid from {{table.Name}} r
                where r.{{table[nameof(R.ExpiresAt)]}} < clock_timestamp()
                    and ({{isCompleted}} or {{isInProgress}} and ({{lockedUntil}} is null or {{lockedUntil}} < clock_timestamp()))
                order by r.{{table[nameof(R.ExpiresAt)]}} limit $1 for update skip locked))
            """;

        Erase = $$"""
            /* efconcurrency idempotency.erase */
            delete from {{table.Name}} r
            where r.{{table[nameof(R.Scope)]}} like $1 and ({{isCompleted}} or $2 and not ({{isInProgress}} and {{lockedUntil}} > clock_timestamp()))
            """;

        Resolve = $$"""
            /* efconcurrency idempotency.resolve */
            update {{table.Name}} r set
                {{table[nameof(R.State)]}} = {{(short)IdempotencyState.Completed}}, {{table[nameof(R.Fence)]}} = r.{{table[nameof(R.Fence)]}} + 1,
                {{table[nameof(R.ResponseStatus)]}} = $3, {{table[nameof(R.ResponseHeaders)]}} = $4, {{table[nameof(R.ResponseBody)]}} = $5,
                {{table[nameof(R.ProtectionKeyId)]}} = $6, {{table[nameof(R.CompletedAt)]}} = clock_timestamp(), {{table[nameof(R.LockedUntil)]}} = null
            where {{isTheRow}} and {{needsResolution}}
            """;

        Resume = $$"""
            /* efconcurrency idempotency.resume */
            update {{table.Name}} r set
                {{table[nameof(R.State)]}} = {{(short)IdempotencyState.InProgress}}, {{table[nameof(R.Fence)]}} = r.{{table[nameof(R.Fence)]}} + 1,
                {{table[nameof(R.RecoveryData)]}} = case when $3::jsonb is null then r.{{table[nameof(R.RecoveryData)]}}
                    else coalesce(r.{{table[nameof(R.RecoveryData)]}}, '{}') || jsonb_build_object(r.{{table[nameof(R.RecoveryPoint)]}}, $3::jsonb) end,
                {{table[nameof(R.RecoveryPoint)]}} = null, {{table[nameof(R.LockedUntil)]}} = null
            where {{isTheRow}} and {{needsResolution}}
            """;
    }

    /// <summary>One row. Parameters: $1 scope, $2 key.</summary>
    public string Find { get; }

    /// <summary>What will not end by itself, the oldest first. Parameters: $1 for how long its worker is gone, $2 how many.</summary>
    public string Stuck { get; }

    /// <summary>How many those are. Parameter: $1 as for <see cref="Stuck"/>.</summary>
    public string CountStuck { get; }

    /// <summary>
    /// Some of the expired, the oldest first; what another deletes or renews just now is left to it. What waits for a resolution, or is being worked on, stays.
    /// Parameter: $1 how many.
    /// </summary>
    public string DeleteExpired { get; }

    /// <summary>Completed keys of scopes that match; never what is being worked on. Parameters: $1 pattern, $2 whether what is unfinished goes too.</summary>
    public string Erase { get; }

    /// <summary>Someone has looked: it took effect, and this is the response. Parameters: $1 scope, $2 key, $3 status, $4 headers, $5 body, $6 protection key.</summary>
    public string Resolve { get; }

    /// <summary>
    /// Someone has looked: the step runs again ($3 null), or it took effect, and $3 is its result. A recovery point that is gone says that no step was left halfway.
    /// Parameters: $1 scope, $2 key, $3 result.
    /// </summary>
    public string Resume { get; }

    /// <summary>All scopes that begin with <paramref name="prefix"/>, or that one alone.</summary>
    public static string Pattern(string prefix, bool isPrefix)
        => prefix.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal) + (isPrefix ? "%" : "");
}
