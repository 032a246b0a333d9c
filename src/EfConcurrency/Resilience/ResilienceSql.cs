namespace EfConcurrency.Resilience;

/// <summary>All SQL of the room.</summary>
internal static class ResilienceSql
{
    /// <summary>Gives the transaction an id if it has none, and names the timeline. Rides at the head of the first save.</summary>
    public const string Ticket = """
        /* efconcurrency resilience.ticket */
        select pg_current_xact_id()::text, substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
        """;

    /// <summary>
    /// The same for a transaction that may have written nothing: then there is no id, and nothing to settle. A standby, where
    /// nothing can be written, has no insert position to ask for.
    /// </summary>
    public const string TicketIfAssigned = """
        /* efconcurrency resilience.ticket-if-assigned */
        select pg_current_xact_id_if_assigned()::text, case when pg_is_in_recovery() then '' else substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) end
        """;

    /// <summary>Fails in a transaction that an error has aborted (25P02), and does nothing else.</summary>
    public const string IsNotAborted = "/* efconcurrency resilience.is-not-aborted */ select";

    public const string Commit = "COMMIT";

    /// <summary>
    /// What became of a transaction. NULL when it is too old to be known; an error when the id has not been given out (another server).
    /// https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
    /// </summary>
    public const string Status = """
        /* efconcurrency resilience.status */
        select pg_xact_status({0}::xid8), case when pg_is_in_recovery() then '' else substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) end
        """;
}
