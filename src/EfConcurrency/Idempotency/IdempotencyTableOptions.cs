namespace EfConcurrency.Idempotency;

/// <summary>Where the table of idempotency keys is.</summary>
public sealed class IdempotencyTableOptions
{
    /// <summary>Schema of the table.</summary>
    /// <value><c>efc</c></value>
    public string Schema { get; set; } = "efc";

    /// <summary>Name of the table.</summary>
    /// <value><c>idempotency_key</c></value>
    public string Table { get; set; } = "idempotency_key";
}
