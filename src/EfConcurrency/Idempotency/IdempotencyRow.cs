using System.Data.Common;

namespace EfConcurrency.Idempotency;

/// <summary>What stands for a key, as <see cref="IdempotencySql.Look"/> tells it.</summary>
internal sealed record IdempotencyRow(
    IdempotencyState State,
    long Fence,
    Guid Owner,
    bool IsSameRequest,
    bool IsLapsed,
    bool IsExpired,
    TimeSpan? LeaseLeft,
    string? RecoveryPoint,
    short? Status = null,
    string? Headers = null,
    byte[]? Body = null,
    string? ProtectionKeyId = null,
    DateTimeOffset? CompletedAt = null)
{
    public static IdempotencyRow Read(DbDataReader row) => new(
        (IdempotencyState)row.GetInt16(0),
        row.GetInt64(1),
        row.GetGuid(2),
        row.GetBoolean(3),
        row.GetBoolean(4),
        row.GetBoolean(5),
        row.IsDBNull(6) ? null : TimeSpan.FromMicroseconds(row.GetInt64(6)),
        row.IsDBNull(7) ? null : row.GetString(7),
        row.IsDBNull(8) ? null : row.GetInt16(8),
        row.IsDBNull(9) ? null : row.GetString(9),
        row.IsDBNull(10) ? null : row.GetFieldValue<byte[]>(10),
        row.IsDBNull(11) ? null : row.GetString(11),
        row.IsDBNull(12) ? null : row.GetFieldValue<DateTimeOffset>(12));

    /// <summary>What follows from it for one that asks with <paramref name="owner"/>; the order of the questions is part of the contract.</summary>
    public IdempotencyVerdict Judge(Guid owner) => this switch
    {
        { IsExpired: true } => IdempotencyVerdict.Reset,
        { IsSameRequest: false } => IdempotencyVerdict.Reused,
        { State: IdempotencyState.Completed } => IdempotencyVerdict.Replay,
        { State: IdempotencyState.NeedsResolution } => IdempotencyVerdict.NeedsResolution,
        _ when Owner == owner => IdempotencyVerdict.AlreadyOurs,
        { IsLapsed: true } => IdempotencyVerdict.TakeOver,
        _ => IdempotencyVerdict.InProgress,
    };
}
