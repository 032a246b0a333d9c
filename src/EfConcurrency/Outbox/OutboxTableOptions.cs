namespace EfConcurrency.Outbox;

/// <summary>Where the outbox is kept.</summary>
public sealed class OutboxTableOptions
{
    /// <summary>The tables' schema, unquoted; null: the model's default schema.</summary>
    /// <value><c>efc</c></value>
    public string? Schema { get; set; } = "efc";

    /// <summary>Name of the log, unquoted; the other tables are named after it: <c>outbox_cursor</c>, <c>outbox_pending</c>, <c>outbox_owner</c>.</summary>
    /// <value><c>outbox</c></value>
    public string Table { get; set; } = "outbox";

    /// <summary>
    /// Number of lanes, 1 to 256: as many dispatchers can share the work. Messages of one key go in one lane. All processes must have the same
    /// number; change it only while the outbox is empty, or order within a key is lost for a moment.
    /// </summary>
    /// <value>16</value>
    public int Lanes { get; set; } = 16;
}
