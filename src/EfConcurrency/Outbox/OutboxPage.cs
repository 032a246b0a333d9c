namespace EfConcurrency.Outbox;

/// <summary>What a read found.</summary>
/// <param name="Seen">The snapshot that saw it.</param>
/// <param name="Messages">Messages of all lanes in the order of ids.</param>
/// <param name="IsAll">Whether the snapshot saw no more.</param>
internal sealed record OutboxPage(OutboxSnapshot Seen, List<LoggedMessage> Messages, bool IsAll);
