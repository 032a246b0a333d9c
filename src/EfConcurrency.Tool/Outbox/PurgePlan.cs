namespace EfConcurrency.Tool.Outbox;

/// <summary>Dead letters that are about to be deleted.</summary>
internal sealed record PurgePlan(string Sink, DateTimeOffset EnqueuedBefore, long[] Ids);
