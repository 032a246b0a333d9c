namespace EfConcurrency.AspNetCore.Health;

/// <summary>SQL of the health check.</summary>
internal static class HealthSql
{
    /// <summary>
    /// A pooler makes up the process id that it tells its clients; the server does not.
    /// https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
    /// </summary>
    public const string Server = """
        /* efconcurrency aspnetcore.health */
        select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', clock_timestamp(), pg_backend_pid()
        """;

    public const string ServerProcess = "/* efconcurrency aspnetcore.server-process */ select pg_backend_pid()";
}
