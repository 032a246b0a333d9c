using System.Globalization;
using EfConcurrency.Resilience;

namespace EfConcurrency.JobSlots;

/// <summary>
/// A runner came back too late: its claim had expired and another claimed the slot, or the slot is done or deleted. What it reported was
/// not recorded. Never retried: the slot is no longer this runner's.
/// </summary>
public sealed class JobSlotLostException : Exception, IFinalRefusal
{
    internal JobSlotLostException(JobSlotHandle handle, JobSlot? current)
        : base(Describe(handle, current))
    {
        Job = handle.Job;
        Slot = handle.Slot;
        SlotNo = handle.SlotNo;
        Attempt = handle.Attempt;
        CurrentAttempt = current?.Attempt;
        CurrentClaimId = current?.ClaimedBy;
        CurrentInfo = current?.ClaimedInfo;
        CompletedAt = current?.CompletedAt;
    }

    /// <summary>Name of the job.</summary>
    public string Job { get; }

    /// <summary>The slot, in UTC.</summary>
    public DateTimeOffset Slot { get; }

    /// <summary>Number of the runner within the slot, from 0.</summary>
    public int SlotNo { get; }

    /// <summary>The attempt that came too late.</summary>
    public long Attempt { get; }

    /// <summary>The attempt that the slot belongs to now; null when its row is gone.</summary>
    public long? CurrentAttempt { get; }

    /// <summary>Id of the claim that the slot belongs to now; null when its row is gone.</summary>
    public Guid? CurrentClaimId { get; }

    /// <summary>Who claimed the slot after this runner, for people.</summary>
    public string? CurrentInfo { get; }

    /// <summary>When the slot was completed, by the database's clock; null while it is not.</summary>
    public DateTimeOffset? CompletedAt { get; }

    private static string Describe(JobSlotHandle handle, JobSlot? current)
    {
        var what = string.Create(CultureInfo.InvariantCulture, $"Attempt {handle.Attempt} of job '{handle.Job}', slot {handle.Slot:u}, runner {handle.SlotNo}, ");
        if (current is null)
        {
            return what + "came too late: the row of its claim was deleted (DeleteHistoryAsync deletes claims that have expired). Extend the claim while the job runs.";
        }

        return current.ClaimedBy == handle.ClaimId
            ? string.Create(CultureInfo.InvariantCulture, $"{what}can't be extended: it was completed at {current.CompletedAt:u}. Stop extending before you complete.")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{what}came too late: its claim had expired, and the slot belongs to attempt {current.Attempt} by '{current.ClaimedInfo}'. Nothing was recorded. Extend the claim in time, or take a longer LeaseTime.");
    }
}
