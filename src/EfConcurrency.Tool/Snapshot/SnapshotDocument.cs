using EfConcurrency.Idempotency;
using EfConcurrency.Tool.Doctor;
using EfConcurrency.Tool.Leases;
using EfConcurrency.Tool.Locks;
using EfConcurrency.Tool.Status;

namespace EfConcurrency.Tool.Snapshot;

/// <summary>The document. Locks and tree are missing where the role may not see other sessions.</summary>
internal sealed record SnapshotDocument(
    DateTimeOffset At,
    SnapshotTool Tool,
    SnapshotServer Server,
    IReadOnlyList<RoomStatus> Status,
    IReadOnlyList<LockRow>? Locks,
    IReadOnlyList<TreeNode>? BlockingTree,
    IReadOnlyList<LeaseRow> Leases,
    IReadOnlyList<SnapshotSink> Outbox,
    IReadOnlyList<SnapshotKey> StuckKeys,
    DoctorReport Doctor);

internal sealed record SnapshotTool(string Version);

internal sealed record SnapshotServer(string Version, string Database, string Role, string Schema, bool IsStandby);

internal sealed record SnapshotSink(string Sink, IReadOnlyList<SnapshotDispatcher> Dispatchers, IReadOnlyList<SnapshotLetter> DeadLetters);

internal sealed record SnapshotDispatcher(string Name, DateTimeOffset StartedAt, DateTimeOffset LiveUntil, string? Failure);

/// <summary>A dead letter without what is in it.</summary>
internal sealed record SnapshotLetter(Guid MessageId, string Type, string Topic, DateTimeOffset CreatedAt, int Attempts, string? LastError);

/// <summary>A stuck operation. Keys and scopes may name people: the hash is the one in the application's log.</summary>
internal sealed record SnapshotKey(string KeyHash, IdempotencyState State, int Attempts, string? RecoveryPoint, DateTimeOffset CreatedAt, DateTimeOffset? LockedUntil);
