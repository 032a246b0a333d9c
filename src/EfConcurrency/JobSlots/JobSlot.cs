using System.Data.Common;

namespace EfConcurrency.JobSlots;

/// <summary>One claim of one slot of one job, as it stands in the table. The library alone writes it; read it as you like.</summary>
public sealed class JobSlot
{
    private JobSlot()
    {
    }

    /// <summary>Name of the job.</summary>
    public string Job { get; private set; } = null!;

    /// <summary>The moment the slot stands for, in UTC.</summary>
    public DateTimeOffset SlotAt { get; private set; }

    /// <summary>Number of the runner within the slot, from 0.</summary>
    public int SlotNo { get; private set; }

    /// <summary>How often the slot was claimed by this runner number: 1, and one more with each reclaim.</summary>
    public long Attempt { get; private set; }

    /// <summary>Id of the claim, new for each.</summary>
    public Guid ClaimedBy { get; private set; }

    /// <summary>Who claimed it, for people.</summary>
    public string? ClaimedInfo { get; private set; }

    /// <summary>When it was claimed, by the database's clock.</summary>
    public DateTimeOffset ClaimedAt { get; private set; }

    /// <summary>Until when its runner is taken to be alive, by the database's clock.</summary>
    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>Whether another may claim the slot when this claim has expired (<see cref="JobSlotMode.AtLeastOnce"/>).</summary>
    public bool CanReclaim { get; private set; }

    /// <summary>When the work was reported as done, by the database's clock; null while it is not.</summary>
    public DateTimeOffset? CompletedAt { get; private set; }

    /// <summary>What the runner said when it completed.</summary>
    public string? Outcome { get; private set; }

    /// <summary>A row with the columns in the order of <see cref="JobSlotTable.Columns"/>.</summary>
    internal static JobSlot Read(string job, DbDataReader row) => new()
    {
        Job = job,
        SlotAt = row.GetFieldValue<DateTimeOffset>(0),
        SlotNo = row.GetInt32(1),
        Attempt = row.GetInt64(2),
        ClaimedBy = row.GetGuid(3),
        ClaimedInfo = row.IsDBNull(4) ? null : row.GetString(4),
        ClaimedAt = row.GetFieldValue<DateTimeOffset>(5),
        ExpiresAt = row.GetFieldValue<DateTimeOffset>(6),
        CanReclaim = row.GetBoolean(7),
        CompletedAt = row.IsDBNull(8) ? null : row.GetFieldValue<DateTimeOffset>(8),
        Outcome = row.IsDBNull(9) ? null : row.GetString(9),
    };
}
