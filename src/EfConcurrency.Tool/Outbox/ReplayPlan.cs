namespace EfConcurrency.Tool.Outbox;

/// <summary>One message, or the dead letters of a time.</summary>
internal sealed record ReplayPlan(MessagePlan? Message, string Sink, DateTimeOffset From, DateTimeOffset Until, long[] Ids);
