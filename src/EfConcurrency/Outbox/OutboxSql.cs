namespace EfConcurrency.Outbox;

/// <summary>SQL of the side that enqueues. <c>{0}</c>, <c>{1}</c> … stand for parameters.</summary>
internal static class OutboxSql
{
    /// <summary>
    /// Appends messages in the order of the arrays, one statement for any number of them. Returns one row, as a statement of the envelope must.
    /// Short names: the text is built anew for each save. Parameters: arrays of lanes, ids, keys, topics, types, headers and payloads.
    /// </summary>
    public static string Enqueue(OutboxLogTable log) => $"""
        /* efconcurrency outbox.enqueue */ with m as (insert into {log.Name} ({log.Lane}, {log.MessageId}, {log.Key}, {log.Topic}, {log.Type}, {log.Headers}, {log.Payload})
        select l, i, k, t, y, h::jsonb, p from unnest({Arrays}) u(l, i, k, t, y, h, p)) select 1
        """;

    /// <summary>The same for messages of which some are delayed. Further parameter: their delays in microseconds, counted from now.</summary>
    public static string EnqueueDelayed(OutboxLogTable log) => $"""
        /* efconcurrency outbox.enqueue-delayed */ with m as (insert into {log.Name} ({log.Lane}, {log.MessageId}, {log.Key}, {log.Topic}, {log.Type}, {log.Headers}, {log.Payload}, {log.DueAt})
        select l, i, k, t, y, h::jsonb, p, clock_timestamp() + d * interval '1 microsecond' from unnest({Arrays}, {Delays}) u(l, i, k, t, y, h, p, d)) select 1
        """;

    /// <summary>Whether the log is there with all its columns. Parameters: the quoted table, the names of its columns.</summary>
    public const string LogExists = """
        /* efconcurrency outbox.log-exists */
        select count(*) = cardinality({1}) from pg_catalog.pg_attribute
        where attrelid = to_regclass({0}) and attname = any({1}) and attnum > 0 and not attisdropped
        """;

    private const string Arrays = "{0}, {1}, {2}, {3}, {4}, {5}, {6}";

    private const string Delays = "{7}";
}
