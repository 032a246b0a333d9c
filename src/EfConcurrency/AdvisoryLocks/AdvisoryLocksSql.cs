namespace EfConcurrency.AdvisoryLocks;

/// <summary>All SQL of the room that takes, keeps and releases locks. Parameters are positional.</summary>
internal static class AdvisoryLocksSql
{
    /// <summary>Where <see cref="AdvisoryLockComment"/> goes: at the head, because <c>pg_stat_activity</c> cuts long statements.</summary>
    private const string Keys = "/*keys*/";

    /// <summary>A lock survives RELEASE, not ROLLBACK TO; and what SET LOCAL changed is reverted by the latter.</summary>
    public const string Savepoint = "/* efconcurrency advisory-locks.savepoint */ savepoint efc_lock";

    public const string Release = "/* efconcurrency advisory-locks.release-savepoint */ release savepoint efc_lock";

    public const string RollBack = "/* efconcurrency advisory-locks.roll-back */ rollback to savepoint efc_lock";

    /// <summary>
    /// Makes the server notice a client that is gone: while it waits for a lock (client_connection_check_interval, which a server on Windows does not have),
    /// and while it is idle on a host that vanished. It says nothing behind a pooler, whose server connections are not ours to change.
    /// Parameter: the process id that the client was told, or null to ask no more.
    /// https://www.postgresql.org/docs/current/runtime-config-connection.html
    /// </summary>
    public const string PrepareSession = """
        /* efconcurrency advisory-locks.prepare-session */
        select case when $1::int is null or pg_backend_pid() = $1 then
            set_config('client_connection_check_interval', case when version() ~* 'visual c|windows|mingw' then '0' else '1000' end, false)
            || set_config('tcp_keepalives_idle', '10', false) || set_config('tcp_keepalives_interval', '5', false)
        end
        """;

    /// <summary>Gives back whatever the session holds; behind a pooler it would be another client's. Parameter: the process id to expect, or null.</summary>
    public const string ReleaseAll = "/* efconcurrency advisory-locks.release-all */ select pg_advisory_unlock_all() where $1::int is null or pg_backend_pid() = $1";

    private static readonly Statement[] Takes = [.. AllTakes()];

    private static readonly string[] Tries =
    [
        .. from place in (LockPlace[])[LockPlace.OwnTransaction, LockPlace.CallersTransaction]
           from mode in Enum.GetValues<AdvisoryLockMode>()
           from shape in (KeyShape[])[KeyShape.Number, KeyShape.Pair]
           select BuildTry(place, mode, shape),
    ];

    private static readonly Statement Ping = new("/* efconcurrency advisory-locks.keep-alive */ /*keys*/select pg_backend_pid()");

    /// <summary>
    /// Takes the locks in the order in which the keys are given. One row a key, which says how: <c>free</c>, <c>waited</c>, <c>busy</c>, or why not.
    /// Parameters: the key or the keys (bigint), the wait in ms (int; null: without end; 0: none); in session scope the process id to expect (int, or null);
    /// with several keys which of them are pairs (boolean[]).
    /// </summary>
    public static string Take(LockPlace place, AdvisoryLockMode mode, KeyShape shape, string comment)
        => Takes[Index(place, mode, shape)].With(comment);

    /// <summary>
    /// Takes one lock in a transaction if it is free, with the same row. It is the common case, and the same text for all keys, so that it is prepared once;
    /// who has to wait sends <see cref="Take"/>, with the key's name. Parameter: the key (bigint).
    /// </summary>
    public static string Try(LockPlace place, AdvisoryLockMode mode, KeyShape shape) => Tries[((((int)place * 2) + (int)mode) * 2) + (int)shape];

    /// <summary>Asks the session whether it lives, and whether it still is the one that took the lock.</summary>
    public static string KeepAlive(string comment) => Ping.With(comment);

    /// <summary>
    /// Whether all locks were held, and are no longer. Parameters: the keys, which of them are pairs, the process id of the session that took them.
    /// </summary>
    public static string Unlock(AdvisoryLockMode mode) => mode == AdvisoryLockMode.Shared
        ? """
            /* efconcurrency advisory-locks.unlock-shared */
            select pg_backend_pid() = $3 and bool_and(case when k.is_pair then pg_advisory_unlock_shared((k.key >> 32)::int, (k.key << 32 >> 32)::int) else pg_advisory_unlock_shared(k.key) end)
            from unnest($1::bigint[], $2::boolean[]) as k(key, is_pair)
            """
        : """
            /* efconcurrency advisory-locks.unlock */
            select pg_backend_pid() = $3 and bool_and(case when k.is_pair then pg_advisory_unlock((k.key >> 32)::int, (k.key << 32 >> 32)::int) else pg_advisory_unlock(k.key) end)
            from unnest($1::bigint[], $2::boolean[]) as k(key, is_pair)
            """;

    private static int Index(LockPlace place, AdvisoryLockMode mode, KeyShape shape) => ((((int)place * 2) + (int)mode) * 3) + (int)shape;

    private static IEnumerable<Statement> AllTakes()
        => from place in Enum.GetValues<LockPlace>()
           from mode in Enum.GetValues<AdvisoryLockMode>()
           from shape in Enum.GetValues<KeyShape>()
           select new Statement(BuildTake(place, mode, shape));

    /// <summary>
    /// A CASE is evaluated in order, so nothing is locked, and nothing waited for, once something stands in the way. First an attempt without waiting,
    /// which says whether the lock is contended and, like a wait, does not overtake who already waits. Only a wait needs lock_timeout, for the time that
    /// is left of the deadline; it is restored at once. "offset 0" keeps the volatile calls where they stand.
    /// Of a transaction of ours the row also tells what it takes to settle a lost reply to its commit.
    /// https://www.postgresql.org/docs/current/sql-expressions.html#SYNTAX-EXPRESS-EVAL
    /// </summary>
    private static string BuildTake(LockPlace place, AdvisoryLockMode mode, KeyShape shape)
    {
        var isSession = place == LockPlace.Session;
        var function = (isSession ? "advisory_lock" : "advisory_xact_lock") + (mode == AdvisoryLockMode.Shared ? "_shared" : "");
        return $"""
            /* efconcurrency advisory-locks.take */ {Keys}select t.how{Also(place)}
            from (
                select case
                    {NotHere(place)}
                    when {Call("pg_try_" + function, shape, "$1")} then 'free'
                    when $2::int = 0 then 'busy'
                    when set_config('lock_timeout', {Remaining(shape)}, true) is null then null
                    when {Call("pg_" + function, shape, "$1")} is null then null
                    when set_config('lock_timeout', b.lock_timeout, true) is null then null
                    else 'waited'
                end as how
                from (select current_setting('lock_timeout') as lock_timeout, clock_timestamp() as started offset 0) b{From(shape, isSession)}
                offset 0
            ) t
            """;
    }

    private static string BuildTry(LockPlace place, AdvisoryLockMode mode, KeyShape shape)
    {
        var function = "pg_try_advisory_xact_lock" + (mode == AdvisoryLockMode.Shared ? "_shared" : "");
        return $"""
            /* efconcurrency advisory-locks.try */ select t.how{Also(place)} from (select case {NotHere(place)} when {Call(function, shape, "$1")} then 'free' else 'busy' end as how offset 0) t
            """;
    }

    /// <summary>What stands in the way of any lock.</summary>
    private static string NotHere(LockPlace place) => place == LockPlace.Session
        ? "when pg_backend_pid() <> $3::int then 'pooler' when pg_is_in_recovery() then 'standby'"
        : "when pg_is_in_recovery() then 'standby' when current_setting('transaction_isolation') in ('repeatable read', 'serializable') then 'snapshot'";

    private static string Also(LockPlace place) => place switch
    {
        LockPlace.OwnTransaction => """
            , case when t.how in ('free', 'waited') then pg_current_xact_id()::text end
            , case when t.how in ('free', 'waited') then substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) end
            """,
        LockPlace.Session => ", pg_backend_pid()",
        _ => "",
    };

    /// <summary>A call of a lock function for the key in hand.</summary>
    public static string Call(string function, KeyShape shape, string key) => shape switch
    {
        KeyShape.Number => $"{function}({key}::bigint)",
        KeyShape.Pair => $"{function}(({key}::bigint >> 32)::int, ({key}::bigint << 32 >> 32)::int)",
        _ => $"case when k.is_pair then {function}((k.key >> 32)::int, (k.key << 32 >> 32)::int) else {function}(k.key) end",
    };

    /// <summary>0 switches lock_timeout off, so an exhausted deadline is one of 1 ms.</summary>
    private static string Remaining(KeyShape shape) => shape == KeyShape.Several
        ? "case when $2 is null then '0' else greatest(1, $2 - (extract(epoch from clock_timestamp() - b.started) * 1000)::int)::text end"
        : "coalesce($2, 0)::text";

    /// <summary>unnest reads an array in its own order.</summary>
    private static string From(KeyShape shape, bool isSession) => shape == KeyShape.Several
        ? $", unnest($1::bigint[], {(isSession ? "$4" : "$3")}::boolean[]) as k(key, is_pair)"
        : "";

    private sealed class Statement
    {
        private readonly string _head;
        private readonly string _tail;

        public Statement(string sql)
        {
            var at = sql.IndexOf(Keys, StringComparison.Ordinal);
            _head = sql[..at];
            _tail = sql[(at + Keys.Length)..];
        }

        public string With(string comment) => string.Concat(_head, comment, _tail);
    }
}
