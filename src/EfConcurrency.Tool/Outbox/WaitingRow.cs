using EfConcurrency.Outbox;

namespace EfConcurrency.Tool.Outbox;

/// <summary>A message that waits beside the log, or is dead, as it is listed.</summary>
internal sealed record WaitingRow(
    string Sink, Guid MessageId, OutboxPendingState State, int Attempts, string Topic, string Type, string? Key, DateTimeOffset CreatedAt, DateTimeOffset? DueAt, string? LastError)
{
    public static WaitingRow Of(OutboxPending message) => new(
        message.Sink,
        message.MessageId,
        message.State,
        message.Attempts,
        message.Topic,
        message.Type,
        message.Key,
        message.CreatedAt,
        message.State == OutboxPendingState.Dead ? null : message.DueAt,
        message.LastError);
}
