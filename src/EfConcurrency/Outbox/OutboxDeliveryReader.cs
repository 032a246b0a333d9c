using System.Data.Common;

namespace EfConcurrency.Outbox;

/// <summary>Reads what became of a message in a sink.</summary>
internal static class OutboxDeliveryReader
{
    public static OutboxMessageDelivery Read(DbDataReader reader)
        => new(
            reader.GetString(0),
            (OutboxMessageState)reader.GetInt32(1),
            reader.GetInt32(2),
            reader.IsDBNull(3) ? null : reader.GetString(3),
            reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4),
            reader.GetInt64(5),
            reader.IsDBNull(6) ? null : reader.GetGuid(6));
}
