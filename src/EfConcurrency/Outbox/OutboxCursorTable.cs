using EfConcurrency.Postgres;

namespace EfConcurrency.Outbox;

/// <summary>Names of the cursors' table, <see cref="OutboxCursor"/>, quoted.</summary>
internal sealed class OutboxCursorTable(MappedTable table)
{
    /// <summary>The table, with its schema.</summary>
    public string Name { get; } = table.Name;

    public string Sink { get; } = table[nameof(OutboxCursor.Sink)];

    public string Lane { get; } = table[nameof(OutboxCursor.Lane)];

    public string Snapshot { get; } = table[nameof(OutboxCursor.Snapshot)];

    public string PlannedTo { get; } = table[nameof(OutboxCursor.PlannedTo)];

    public string LastId { get; } = table[nameof(OutboxCursor.LastId)];

    public string Owner { get; } = table[nameof(OutboxCursor.Owner)];

    public string LeaseUntil { get; } = table[nameof(OutboxCursor.LeaseUntil)];

    public string Epoch { get; } = table[nameof(OutboxCursor.Epoch)];

    /// <summary>A parameter that is or could be the value of a column.</summary>
    public SqlParameterValue Value(string property, object? value) => table.Value(property, value);
}
