namespace EfConcurrency.Outbox;

/// <summary>Names of the table of dispatchers, <see cref="OutboxOwner"/>, quoted.</summary>
internal sealed class OutboxOwnerTable(MappedTable table)
{
    /// <summary>The table, with its schema.</summary>
    public string Name { get; } = table.Name;

    public string Sink { get; } = table[nameof(OutboxOwner.Sink)];

    public string Owner { get; } = table[nameof(OutboxOwner.Owner)];

    public string People { get; } = table[nameof(OutboxOwner.Name)];

    public string Capacity { get; } = table[nameof(OutboxOwner.Capacity)];

    public string StartedAt { get; } = table[nameof(OutboxOwner.StartedAt)];

    public string LiveUntil { get; } = table[nameof(OutboxOwner.LiveUntil)];

    public string Failure { get; } = table[nameof(OutboxOwner.Failure)];
}
