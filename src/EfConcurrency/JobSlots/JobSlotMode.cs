namespace EfConcurrency.JobSlots;

/// <summary>What happens to a slot whose runner does not come back.</summary>
public enum JobSlotMode
{
    /// <summary>Nothing: a slot, once claimed, is never given out again. A crash loses the run.</summary>
    AtMostOnce,

    /// <summary>
    /// When the claim has expired before it was completed or extended, another may claim the slot. A runner that was only slow may then
    /// work at the same time as its successor; its completion is refused.
    /// </summary>
    AtLeastOnce,
}
