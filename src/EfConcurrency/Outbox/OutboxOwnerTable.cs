using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Outbox;

/// <summary>Names of the table of dispatchers, <see cref="OutboxOwner"/>, quoted.</summary>
internal sealed class OutboxOwnerTable(IEntityType entityType, ISqlGenerationHelper sql) : MappedTable(entityType, sql)
{
    public string Sink => this[nameof(OutboxOwner.Sink)];

    public string Owner => this[nameof(OutboxOwner.Owner)];

    public string People => this[nameof(OutboxOwner.Name)];

    public string Capacity => this[nameof(OutboxOwner.Capacity)];

    public string StartedAt => this[nameof(OutboxOwner.StartedAt)];

    public string LiveUntil => this[nameof(OutboxOwner.LiveUntil)];

    public string Failure => this[nameof(OutboxOwner.Failure)];
}
