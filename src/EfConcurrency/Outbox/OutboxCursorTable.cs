using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Outbox;

/// <summary>Names of the cursors' table, <see cref="OutboxCursor"/>, quoted.</summary>
internal sealed class OutboxCursorTable(IEntityType entityType, ISqlGenerationHelper sql) : MappedTable(entityType, sql)
{
    public string Sink => this[nameof(OutboxCursor.Sink)];

    public string Lane => this[nameof(OutboxCursor.Lane)];

    public string Snapshot => this[nameof(OutboxCursor.Snapshot)];

    public string PlannedTo => this[nameof(OutboxCursor.PlannedTo)];

    public string LastId => this[nameof(OutboxCursor.LastId)];

    public string Owner => this[nameof(OutboxCursor.Owner)];

    public string LeaseUntil => this[nameof(OutboxCursor.LeaseUntil)];

    public string Epoch => this[nameof(OutboxCursor.Epoch)];
}
