namespace EfConcurrency.JobSlots;

/// <summary>What the server says to a claim: the row that it got, if any, and then all rows of the slot.</summary>
internal readonly record struct JobSlotAnswer(IReadOnlyList<JobSlot> Claimed, IReadOnlyList<JobSlot> State);
