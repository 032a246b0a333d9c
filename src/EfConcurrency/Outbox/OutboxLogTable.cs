using EfConcurrency.Postgres;

namespace EfConcurrency.Outbox;

/// <summary>Names of the log, <see cref="OutboxRecord"/>, quoted.</summary>
internal sealed class OutboxLogTable(MappedTable table)
{
    /// <summary>The table, with its schema.</summary>
    public string Name { get; } = table.Name;

    /// <summary>The columns' names, as the catalogue has them.</summary>
    public string[] ColumnNames { get; } = table.ColumnNames;

    public string Id { get; } = table[nameof(OutboxRecord.Id)];

    public string TransactionId { get; } = table[nameof(OutboxRecord.TransactionId)];

    public string Slot { get; } = table[nameof(OutboxRecord.Slot)];

    public string Lane { get; } = table[nameof(OutboxRecord.Lane)];

    public string MessageId { get; } = table[nameof(OutboxRecord.MessageId)];

    public string CreatedAt { get; } = table[nameof(OutboxRecord.CreatedAt)];

    public string DueAt { get; } = table[nameof(OutboxRecord.DueAt)];

    public string Key { get; } = table[nameof(OutboxRecord.Key)];

    public string Topic { get; } = table[nameof(OutboxRecord.Topic)];

    public string Type { get; } = table[nameof(OutboxRecord.Type)];

    public string Headers { get; } = table[nameof(OutboxRecord.Headers)];

    public string Payload { get; } = table[nameof(OutboxRecord.Payload)];

    /// <summary>A parameter that is or could be the value of a column.</summary>
    public SqlParameterValue Value(string property, object? value) => table.Value(property, value);
}
