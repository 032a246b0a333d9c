namespace EfConcurrency.Tool.Status;

/// <summary>From when on something needs attention.</summary>
internal sealed record StatusThresholds(TimeSpan LockWait, TimeSpan Abandoned, TimeSpan OutboxAge, int DeadLetters, TimeSpan Stuck, TimeSpan SlotDelay);
