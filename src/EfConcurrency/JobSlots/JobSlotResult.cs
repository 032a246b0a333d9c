namespace EfConcurrency.JobSlots;

/// <summary>What became of a claim: <see cref="Claimed"/>, <see cref="AlreadyClaimed"/> or <see cref="Completed"/>.</summary>
public abstract record JobSlotResult
{
    private JobSlotResult()
    {
    }

    /// <summary>The slot is the caller's: do the work, then complete it.</summary>
    /// <param name="Handle">The claim.</param>
    public sealed record Claimed(JobSlotHandle Handle) : JobSlotResult;

    /// <summary>All runners that the slot may have have claimed it, and not all are done. Of several claims, the one that expires first.</summary>
    /// <param name="ClaimId">Id of the claim.</param>
    /// <param name="By">Who claimed it, for people.</param>
    /// <param name="Until">Until when that runner is taken to be alive, by the database's clock; may lie in the past.</param>
    /// <param name="Slot">The slot, in UTC.</param>
    public sealed record AlreadyClaimed(Guid ClaimId, string? By, DateTimeOffset Until, DateTimeOffset Slot) : JobSlotResult;

    /// <summary>The work of the slot is done. Of several claims, the one that was completed last.</summary>
    /// <param name="ClaimId">Id of the claim.</param>
    /// <param name="By">Who did it, for people.</param>
    /// <param name="At">When it was completed, by the database's clock.</param>
    /// <param name="Slot">The slot, in UTC.</param>
    /// <param name="Outcome">What the runner said when it completed.</param>
    public sealed record Completed(Guid ClaimId, string? By, DateTimeOffset At, DateTimeOffset Slot, string? Outcome) : JobSlotResult;
}
