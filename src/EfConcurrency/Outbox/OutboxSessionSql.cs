namespace EfConcurrency.Outbox;

/// <summary>Statements about a dispatcher's session.</summary>
internal static class OutboxSessionSql
{
    /// <summary>A pooler makes up the process id that it tells its clients; the server does not.</summary>
    public const string ServerProcess = "/* efconcurrency outbox.server-process */ select pg_backend_pid()";

    public const string UseIndexes = "/* efconcurrency outbox.use-indexes */ set enable_seqscan = off";

    public const string Begin = "/* efconcurrency outbox.begin */ begin";

    public const string UseIndexesHere = "/* efconcurrency outbox.use-indexes-here */ set local enable_seqscan = off";

    public const string Commit = "/* efconcurrency outbox.commit */ commit";
}
