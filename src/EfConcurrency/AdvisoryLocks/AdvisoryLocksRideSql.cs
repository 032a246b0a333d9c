namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// The SQL of a lock that rides at the head of a statement list. Nobody looks at what it returns before the list is committed, so all that stands in the way
/// is an error, which undoes the list: a wait in vain is 55P03 (the shortest one is 1 ms), and to ask for another isolation level after the snapshot is 25001.
/// It is a statement of its own, because those after it then have a newer snapshot than the wait.
/// https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED
/// </summary>
internal static class AdvisoryLocksRideSql
{
    /// <summary>Names of the parameters in <see cref="Prefix"/>.</summary>
    public const string Key = "efc_lock_key", Wait = "efc_lock_wait", Pairs = "efc_lock_pairs";

    private static readonly string[] Statements = [.. All(Build)];

    private static readonly string[] Prefixes = [.. All((mode, shape) => Named(Build(mode, shape)) + ";\n")];

    private static readonly string[] PrefixesInTransaction =
        [.. All((mode, shape) => $"{AdvisoryLocksSql.Savepoint};\n{Named(Build(mode, shape))};\n{AdvisoryLocksSql.Release};\n")];

    /// <summary>
    /// One row: <c>free</c> or <c>waited</c>. Placeholders: the key or the keys (bigint), the wait in ms (int; 0: without end), with several keys which of
    /// them are pairs (boolean[]).
    /// </summary>
    public static string Statement(AdvisoryLockMode mode, KeyShape shape) => Statements[Index(mode, shape)];

    /// <summary>The same before another statement, with named parameters. In a caller's transaction a savepoint lets that go on after a wait in vain.</summary>
    public static string Prefix(AdvisoryLockMode mode, KeyShape shape, bool isInTransaction) => (isInTransaction ? PrefixesInTransaction : Prefixes)[Index(mode, shape)];

    private static int Index(AdvisoryLockMode mode, KeyShape shape) => ((int)mode * 3) + (int)shape;

    private static IEnumerable<string> All(Func<AdvisoryLockMode, KeyShape, string> build)
        => from mode in Enum.GetValues<AdvisoryLockMode>()
           from shape in Enum.GetValues<KeyShape>()
           select build(mode, shape);

    private static string Named(string statement)
        => statement.Replace("{0}", "@" + Key, StringComparison.Ordinal).Replace("{1}", "@" + Wait, StringComparison.Ordinal).Replace("{2}", "@" + Pairs, StringComparison.Ordinal);

    /// <summary>
    /// As in <see cref="AdvisoryLocksSql.Take"/>: first an attempt without waiting, and lock_timeout is restored before the next statement. Each save sends it anew, so it is
    /// short, and without the key's name, which would make it another statement to prepare for each name.
    /// </summary>
    private static string Build(AdvisoryLockMode mode, KeyShape shape)
    {
        var function = "advisory_xact_lock" + (mode == AdvisoryLockMode.Shared ? "_shared" : "");
        const string snapshot = "current_setting('transaction_isolation') in ('repeatable read', 'serializable') and set_config('transaction_isolation', 'read committed', true) is null";
        return shape == KeyShape.Several
            ? $$"""
                /* efconcurrency advisory-locks.ride-several */ select case when bool_or(t.how = 'waited') then 'waited' else 'free' end
                from (
                    select case
                        when {{snapshot}} then null
                        when {{AdvisoryLocksSql.Call("pg_try_" + function, shape, "")}} then 'free'
                        when set_config('lock_timeout', case {1}::int when 0 then '0' else greatest(1, {1}::int - (extract(epoch from clock_timestamp() - b.started) * 1000)::int)::text end, true) is null then null
                        when {{AdvisoryLocksSql.Call("pg_" + function, shape, "")}} is null then null
                        when set_config('lock_timeout', b.lock_timeout, true) is null then null
                        else 'waited'
                    end as how
                    from (select current_setting('lock_timeout') as lock_timeout, clock_timestamp() as started offset 0) b, unnest({0}::bigint[], {2}::boolean[]) as k(key, is_pair)
                    offset 0
                ) t
                """
            : $$"""
                /* efconcurrency advisory-locks.ride */ select case
                when {{snapshot}} then null
                when {{AdvisoryLocksSql.Call("pg_try_" + function, shape, "{0}")}} then 'free'
                when set_config('efc.lock_timeout', current_setting('lock_timeout'), true) is null then null
                when set_config('lock_timeout', {1}::int::text, true) is null then null
                when {{AdvisoryLocksSql.Call("pg_" + function, shape, "{0}")}} is null then null
                when set_config('lock_timeout', current_setting('efc.lock_timeout'), true) is null then null
                else 'waited' end
                """;
    }
}
