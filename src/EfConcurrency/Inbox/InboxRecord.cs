using System.Data.Common;

namespace EfConcurrency.Inbox;

/// <summary>A message that a consumer has handled. The library alone writes it.</summary>
public sealed class InboxRecord
{
    private InboxRecord()
    {
    }

    /// <summary>The partition: day of the message id modulo the number of such partitions, so that a duplicate always meets its first copy. Ids without a day have one of their own, the last.</summary>
    public short Slot { get; private set; }

    /// <summary>Name of the consumer.</summary>
    public string Consumer { get; private set; } = null!;

    /// <summary>Id of the message; for a foreign id, a UUID made from it.</summary>
    public Guid MessageId { get; private set; }

    /// <summary>The foreign id as it was sent; empty for a UUID. Part of the key, so that two of them are never taken for one, whatever UUIDs are made from them.</summary>
    public string ForeignId { get; private set; } = null!;

    /// <summary>When it was accepted, by the database's clock.</summary>
    public DateTimeOffset AcceptedAt { get; private set; }

    /// <summary>A row with the columns in the order of the properties.</summary>
    internal static InboxRecord Read(DbDataReader row, int firstColumn) => new()
    {
        Slot = row.GetInt16(firstColumn),
        Consumer = row.GetString(firstColumn + 1),
        MessageId = row.GetGuid(firstColumn + 2),
        ForeignId = row.GetString(firstColumn + 3),
        AcceptedAt = row.GetFieldValue<DateTimeOffset>(firstColumn + 4),
    };
}
