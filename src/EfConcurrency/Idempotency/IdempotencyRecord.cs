using System.Data.Common;

namespace EfConcurrency.Idempotency;

/// <summary>A key and what became of its operation, as it stands in the table. The library alone writes it; read it as you like.</summary>
public sealed class IdempotencyRecord
{
    private IdempotencyRecord()
    {
    }

    /// <summary>Whose key it is.</summary>
    public string Scope { get; private set; } = null!;

    /// <summary>The key.</summary>
    public string Key { get; private set; } = null!;

    /// <summary>SHA-256 of the request.</summary>
    public byte[] Fingerprint { get; private set; } = null!;

    /// <summary>How the fingerprint was computed.</summary>
    public short FingerprintVersion { get; private set; }

    /// <summary>Where the operation stands.</summary>
    public IdempotencyState State { get; private set; }

    /// <summary>Number of the claim; rises with each takeover, and, as it starts from the clock, with each new life of the key.</summary>
    public long Fence { get; private set; }

    /// <summary>Id of the claim.</summary>
    public Guid Owner { get; private set; }

    /// <summary>How often it was claimed.</summary>
    public int Attempts { get; private set; }

    /// <summary>TwoPhase: until when the claim holds, by the database's clock; null when the operation is done.</summary>
    public DateTimeOffset? LockedUntil { get; private set; }

    /// <summary>TwoPhase: the step that was begun last.</summary>
    public string? RecoveryPoint { get; private set; }

    /// <summary>TwoPhase: JSON object of the steps that are done and their results.</summary>
    public string? RecoveryData { get; private set; }

    /// <summary>Status of the response.</summary>
    public short? ResponseStatus { get; private set; }

    /// <summary>Headers of the response: JSON array of pairs.</summary>
    public string? ResponseHeaders { get; private set; }

    /// <summary>Body of the response; null when it was not kept.</summary>
    public byte[]? ResponseBody { get; private set; }

    /// <summary>How the body is protected; null: not at all.</summary>
    public string? ProtectionKeyId { get; private set; }

    /// <summary>When the key was first claimed, by the database's clock.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When the operation was completed, by the database's clock.</summary>
    public DateTimeOffset? CompletedAt { get; private set; }

    /// <summary>When the key is forgotten.</summary>
    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>What <see cref="Read"/> reads, in its order.</summary>
    internal static string[] Columns { get; } =
    [
        nameof(Scope), nameof(Key), nameof(Fingerprint), nameof(FingerprintVersion), nameof(State), nameof(Fence), nameof(Owner), nameof(Attempts), nameof(LockedUntil),
        nameof(RecoveryPoint), nameof(RecoveryData), nameof(ResponseStatus), nameof(ResponseHeaders), nameof(ResponseBody), nameof(ProtectionKeyId),
        nameof(CreatedAt), nameof(CompletedAt), nameof(ExpiresAt),
    ];

    internal static IdempotencyRecord Read(DbDataReader row) => new()
    {
        Scope = row.GetString(0),
        Key = row.GetString(1),
        Fingerprint = row.GetFieldValue<byte[]>(2),
        FingerprintVersion = row.GetInt16(3),
        State = (IdempotencyState)row.GetInt16(4),
        Fence = row.GetInt64(5),
        Owner = row.GetGuid(6),
        Attempts = row.GetInt32(7),
        LockedUntil = Time(row, 8),
        RecoveryPoint = Text(row, 9),
        RecoveryData = Text(row, 10),
        ResponseStatus = row.IsDBNull(11) ? null : row.GetInt16(11),
        ResponseHeaders = Text(row, 12),
        ResponseBody = row.IsDBNull(13) ? null : row.GetFieldValue<byte[]>(13),
        ProtectionKeyId = Text(row, 14),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(15),
        CompletedAt = Time(row, 16),
        ExpiresAt = row.GetFieldValue<DateTimeOffset>(17),
    };

    private static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset? Time(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
