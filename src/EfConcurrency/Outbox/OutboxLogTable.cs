using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Outbox;

/// <summary>Names of the log, <see cref="OutboxRecord"/>, quoted.</summary>
internal sealed class OutboxLogTable(IEntityType entityType, ISqlGenerationHelper sql) : MappedTable(entityType, sql)
{
    public string Id => this[nameof(OutboxRecord.Id)];

    public string TransactionId => this[nameof(OutboxRecord.TransactionId)];

    public string Slot => this[nameof(OutboxRecord.Slot)];

    public string Lane => this[nameof(OutboxRecord.Lane)];

    public string MessageId => this[nameof(OutboxRecord.MessageId)];

    public string CreatedAt => this[nameof(OutboxRecord.CreatedAt)];

    public string DueAt => this[nameof(OutboxRecord.DueAt)];

    public string Key => this[nameof(OutboxRecord.Key)];

    public string Topic => this[nameof(OutboxRecord.Topic)];

    public string Type => this[nameof(OutboxRecord.Type)];

    public string Headers => this[nameof(OutboxRecord.Headers)];

    public string Payload => this[nameof(OutboxRecord.Payload)];
}
