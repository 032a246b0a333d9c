using System.Data.Common;

namespace EfConcurrency.Tool.Status;

/// <summary>A row of the outbox's statement.</summary>
internal sealed record SinkLag(string Sink, long Undelivered, bool IsMore, double? OldestSeconds, long Retrying, long Delayed, long Dead, long Dispatchers, string? Failure)
{
    public bool IsWaiting => Undelivered + Retrying + Delayed > 0;

    public static SinkLag Read(DbDataReader row) => new(
        row.GetString(1),
        row.GetInt64(2),
        row.GetBoolean(3),
        row.IsDBNull(4) ? null : Math.Max(0, row.GetDouble(4)),
        row.GetInt64(5),
        row.GetInt64(6),
        row.GetInt64(7),
        row.GetInt64(8),
        row.IsDBNull(9) ? null : row.GetString(9));
}
