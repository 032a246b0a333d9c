using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Outbox;

/// <summary>Names of the table of what is pending, <see cref="OutboxPending"/>, quoted.</summary>
internal sealed class OutboxPendingTable(IEntityType entityType, ISqlGenerationHelper sql) : MappedTable(entityType, sql)
{
    public string Sink => this[nameof(OutboxPending.Sink)];

    public string Id => this[nameof(OutboxPending.Id)];

    public string Lane => this[nameof(OutboxPending.Lane)];

    public string MessageId => this[nameof(OutboxPending.MessageId)];

    public string Key => this[nameof(OutboxPending.Key)];

    public string Topic => this[nameof(OutboxPending.Topic)];

    public string Type => this[nameof(OutboxPending.Type)];

    public string Headers => this[nameof(OutboxPending.Headers)];

    public string Payload => this[nameof(OutboxPending.Payload)];

    public string CreatedAt => this[nameof(OutboxPending.CreatedAt)];

    public string DueAt => this[nameof(OutboxPending.DueAt)];

    public string Attempts => this[nameof(OutboxPending.Attempts)];

    public string LastError => this[nameof(OutboxPending.LastError)];

    public string State => this[nameof(OutboxPending.State)];
}
