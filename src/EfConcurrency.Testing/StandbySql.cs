namespace EfConcurrency.Testing;

/// <summary>What is said to a standby and to its primary. <c>alter system</c> takes no parameters and stands alone in its transaction.</summary>
internal static class StandbySql
{
    public const string Reload = "select pg_reload_conf()";

    public const string IsStandby = "select pg_is_in_recovery()";

    public const string IsStreaming = "select exists (select from pg_stat_wal_receiver where status = 'streaming')";

    public const string IsCutOff = "select current_setting('primary_conninfo') = '' and not exists (select from pg_stat_wal_receiver)";

    public const string IsSynchronous = "select exists (select from pg_stat_replication where application_name = $1 and sync_state = 'sync')";

    /// <summary>Whether commits wait is in shared memory, where the checkpointer writes it when it has read the settings: after one checkpoint it has.</summary>
    public const string LetCheckpointerReload = "checkpoint";

    /// <summary>All that was acknowledged is written; the insert position would be too far, it may lie behind a page header that is not there yet.</summary>
    public const string WrittenPosition = "select pg_current_wal_lsn()::text";

    public const string HasReplayed = "select pg_last_wal_replay_lsn() >= $1::pg_lsn";

    public const string WaitedFor = "select current_setting('synchronous_standby_names')";

    public const string WaitForNobody = "alter system reset synchronous_standby_names";

    /// <summary>The function waits until the server takes writes; false: it does not within the seconds.</summary>
    public const string Promote = "select case when pg_is_in_recovery() then pg_promote(wait => true, wait_seconds => $1) else true end";

    /// <summary>The sender of a standby that was stopped lives for another moment, and the slot is in use as long.</summary>
    public const string EndSender = "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = $1 and active_pid is not null";

    public const string DropSlot = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1";

    public static string Follow(string conninfo) => $"alter system set primary_conninfo = '{conninfo}'";

    public static string WaitFor(string name) => $"alter system set synchronous_standby_names = '{name}'";
}
