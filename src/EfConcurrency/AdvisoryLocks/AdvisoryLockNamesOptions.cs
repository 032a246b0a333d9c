namespace EfConcurrency.AdvisoryLocks;

/// <summary>Where the table of names is.</summary>
public sealed class AdvisoryLockNamesOptions
{
    /// <summary>Schema of the table.</summary>
    /// <value><c>efc</c></value>
    public string Schema { get; set; } = "efc";

    /// <summary>Name of the table.</summary>
    /// <value><c>advisory_lock_name</c></value>
    public string Table { get; set; } = "advisory_lock_name";

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Schema, nameof(Schema));
        ArgumentException.ThrowIfNullOrWhiteSpace(Table, nameof(Table));
    }
}
