using EfConcurrency.Postgres;

namespace EfConcurrency.Outbox;

/// <summary>Names of the table of what is pending, <see cref="OutboxPending"/>, quoted.</summary>
internal sealed class OutboxPendingTable(MappedTable table)
{
    /// <summary>The table, with its schema.</summary>
    public string Name { get; } = table.Name;

    public string Sink { get; } = table[nameof(OutboxPending.Sink)];

    public string Id { get; } = table[nameof(OutboxPending.Id)];

    public string Lane { get; } = table[nameof(OutboxPending.Lane)];

    public string MessageId { get; } = table[nameof(OutboxPending.MessageId)];

    public string Key { get; } = table[nameof(OutboxPending.Key)];

    public string Topic { get; } = table[nameof(OutboxPending.Topic)];

    public string Type { get; } = table[nameof(OutboxPending.Type)];

    public string Headers { get; } = table[nameof(OutboxPending.Headers)];

    public string Payload { get; } = table[nameof(OutboxPending.Payload)];

    public string CreatedAt { get; } = table[nameof(OutboxPending.CreatedAt)];

    public string DueAt { get; } = table[nameof(OutboxPending.DueAt)];

    public string Attempts { get; } = table[nameof(OutboxPending.Attempts)];

    public string LastError { get; } = table[nameof(OutboxPending.LastError)];

    public string State { get; } = table[nameof(OutboxPending.State)];

    /// <summary>A parameter that is or could be the value of a column.</summary>
    public SqlParameterValue Value(string property, object? value) => table.Value(property, value);
}
