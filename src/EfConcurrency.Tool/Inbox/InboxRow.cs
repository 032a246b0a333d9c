namespace EfConcurrency.Tool.Inbox;

/// <summary>A message that was accepted, as it is shown.</summary>
internal sealed record InboxRow(string MessageId, DateTimeOffset? SentAt, bool IsInsideWindow, int WindowDays, IReadOnlyList<AcceptanceRow> Accepted);
