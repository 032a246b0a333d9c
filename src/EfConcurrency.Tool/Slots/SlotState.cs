namespace EfConcurrency.Tool.Slots;

/// <summary>What became of a slot.</summary>
internal enum SlotState
{
    /// <summary>Done.</summary>
    Completed,

    /// <summary>Its runner is at it, and in time.</summary>
    Running,

    /// <summary>At most once: its runner has not completed it in time. It works longer than was said, or is gone, and then the run is lost.</summary>
    Late,

    /// <summary>At least once: its runner is gone, failed or too slow, and nobody has claimed the slot again.</summary>
    Abandoned,
}
