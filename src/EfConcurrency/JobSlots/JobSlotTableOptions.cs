namespace EfConcurrency.JobSlots;

/// <summary>Where the claims are kept.</summary>
public sealed class JobSlotTableOptions
{
    /// <summary>The table's schema, unquoted; null: the model's default schema.</summary>
    /// <value><c>efc</c></value>
    public string? Schema { get; set; } = "efc";

    /// <summary>The table's name, unquoted.</summary>
    /// <value><c>job_slot</c></value>
    public string Table { get; set; } = "job_slot";
}
