namespace EfConcurrency.Leases;

/// <summary>Where the lease table is.</summary>
public sealed class LeaseTableOptions
{
    /// <summary>Schema of the table.</summary>
    /// <value><c>efc</c></value>
    public string Schema { get; set; } = "efc";

    /// <summary>Name of the table.</summary>
    /// <value><c>lease</c></value>
    public string Table { get; set; } = "lease";
}
