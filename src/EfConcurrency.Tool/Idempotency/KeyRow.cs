using EfConcurrency.Idempotency;

namespace EfConcurrency.Tool.Idempotency;

/// <summary>A key, as it is shown: never what is stored of the response, and of the steps only their names.</summary>
internal sealed record KeyRow(
    string Scope,
    string Key,
    KeyState State,
    int Attempts,
    string? RecoveryPoint,
    IReadOnlyList<string> StepsDone,
    short? ResponseStatus,
    int? ResponseBytes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt,
    DateTimeOffset? LockedUntil,
    DateTimeOffset ExpiresAt)
{
    public static KeyRow Of(IdempotencyRecord record, DateTimeOffset now) => new(
        record.Scope,
        record.Key,
        record.State switch
        {
            IdempotencyState.NeedsResolution => KeyState.NeedsResolution,
            IdempotencyState.InProgress when record.LockedUntil is null || record.LockedUntil < now => KeyState.Abandoned,
            IdempotencyState.InProgress => KeyState.InProgress,
            _ when record.ExpiresAt < now => KeyState.Expired,
            _ => KeyState.Completed,
        },
        record.Attempts,
        record.RecoveryPoint,
        record.RecoveryData is null ? [] : [.. System.Text.Json.JsonDocument.Parse(record.RecoveryData).RootElement.EnumerateObject().Select(s => s.Name)],
        record.ResponseStatus,
        record.ResponseBody?.Length,
        record.CreatedAt,
        record.CompletedAt,
        record.LockedUntil,
        record.ExpiresAt);

    public string Words => State switch
    {
        KeyState.InProgress => "in progress",
        KeyState.Abandoned => "abandoned: its worker is gone, and nobody has asked again",
        KeyState.NeedsResolution => $"needs resolution: whether step {RecoveryPoint} took effect is not known",
        KeyState.Expired => "completed, and to be forgotten",
        _ => "completed",
    };
}
