using EfConcurrency.JobSlots;

namespace EfConcurrency.Tool.Slots;

/// <summary>A claim of a slot, as it is shown.</summary>
internal sealed record SlotRow(
    string Job,
    DateTimeOffset Slot,
    int Runner,
    SlotState State,
    string? ClaimedBy,
    long Attempt,
    DateTimeOffset ClaimedAt,
    double? RunningSeconds,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? CompletedAt,
    string? Outcome)
{
    public static SlotRow Of(JobSlot slot, DateTimeOffset now) => new(
        slot.Job,
        slot.SlotAt,
        slot.SlotNo,
        slot.CompletedAt is not null ? SlotState.Completed : slot.ExpiresAt > now ? SlotState.Running : slot.CanReclaim ? SlotState.Abandoned : SlotState.Late,
        slot.ClaimedInfo,
        slot.Attempt,
        slot.ClaimedAt,
        slot.CompletedAt is null ? (now - slot.ClaimedAt).TotalSeconds : null,
        slot.ExpiresAt,
        slot.CompletedAt,
        slot.Outcome);
}
