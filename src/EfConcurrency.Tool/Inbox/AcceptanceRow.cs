namespace EfConcurrency.Tool.Inbox;

/// <summary>Who accepted a message, and when.</summary>
internal sealed record AcceptanceRow(string Consumer, DateTimeOffset AcceptedAt);
