namespace EfConcurrency.Outbox;

/// <summary>SQL of the side that enqueues. <c>{0}</c>, <c>{1}</c> … stand for parameters.</summary>
internal static class OutboxSql
{
    /// <summary>
    /// Appends messages in the order of the arrays, one statement for any number of them. Returns one row, as a statement of the envelope must.
    /// Parameters: arrays of lanes, ids, delays in microseconds, keys, topics, types, headers and payloads.
    /// </summary>
    public static string Enqueue(OutboxLogTable log) => $"""
        /* efconcurrency outbox.enqueue */ with message as (
            insert into {log.Name} ({log.Lane}, {log.MessageId}, {log.DueAt}, {log.Key}, {log.Topic}, {log.Type}, {log.Headers}, {log.Payload})
            select m.lane, m.id, clock_timestamp() + m.delay * interval '1 microsecond', m.key, m.topic, m.type, m.headers::jsonb, m.payload
            from unnest({Arrays}) m(lane, id, delay, key, topic, type, headers, payload))
        select 1
        """;

    /// <summary>Whether the log is there with all its columns. Parameters: the quoted table, the names of its columns.</summary>
    public const string LogExists = """
        /* efconcurrency outbox.log-exists */
        select count(*) = cardinality({1}) from pg_catalog.pg_attribute
        where attrelid = to_regclass({0}) and attname = any({1}) and attnum > 0 and not attisdropped
        """;

    private const string Arrays = "{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}";
}
