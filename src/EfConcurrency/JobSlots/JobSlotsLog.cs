using EfConcurrency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.JobSlots;

/// <summary>Log messages of the room.</summary>
internal static partial class JobSlotsLog
{
    public const string Category = "EfConcurrency.JobSlots";

    [LoggerMessage(EventIds.JobSlotClaimed, LogLevel.Debug, "Job {Job}, slot {Slot:u}, runner {SlotNo} is claimed.", EventName = Category + ".JobSlotClaimed")]
    public static partial void Claimed(ILogger logger, string job, DateTimeOffset slot, int slotNo);

    [LoggerMessage(EventIds.JobSlotReclaimed, LogLevel.Warning, "Job {Job}, slot {Slot:u}, runner {SlotNo} is claimed again, attempt {Attempt}: the runner before did not complete or extend its claim in time.", EventName = Category + ".JobSlotReclaimed")]
    public static partial void Reclaimed(ILogger logger, string job, DateTimeOffset slot, int slotNo, long attempt);

    [LoggerMessage(EventIds.JobSlotLost, LogLevel.Warning, "{Reason}", EventName = Category + ".JobSlotLost")]
    public static partial void Lost(ILogger logger, string reason);

    [LoggerMessage(EventIds.JobSlotHistoryDeleted, LogLevel.Debug, "{Rows} claims of job {Job} older than {OlderThan} were deleted.", EventName = Category + ".JobSlotHistoryDeleted")]
    public static partial void HistoryDeleted(ILogger logger, long rows, string job, TimeSpan olderThan);
}
