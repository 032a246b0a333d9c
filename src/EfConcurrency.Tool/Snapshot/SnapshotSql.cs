namespace EfConcurrency.Tool.Snapshot;

internal static class SnapshotSql
{
    public const string Server = "/* efconcurrency snapshot.server */ select current_setting('server_version'), current_database()::text, current_user::text, pg_is_in_recovery()";
}
