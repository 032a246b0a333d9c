namespace EfConcurrency.Idempotency;

/// <summary>The model has no idempotency keys, or the database has not the table that the model says.</summary>
public sealed class IdempotencyTableMissingException : InvalidOperationException
{
    private IdempotencyTableMissingException(string message, string? table, Exception? inner)
        : base(message, inner)
        => Table = table;

    /// <summary>The table, quoted, with its schema; null when the model has none.</summary>
    public string? Table { get; }

    internal static IdempotencyTableMissingException NotInModel(string context)
        => new($"The model of '{context}' has no idempotency keys. Call modelBuilder.HasIdempotencyKeys() in OnModelCreating, and add a migration.", table: null, inner: null);

    internal static IdempotencyTableMissingException NotInDatabase(string table, Exception inner)
        => new(
            $"The database has no table {table} with the columns of the model: {inner.Message} HasIdempotencyKeys() put it into the model; add a migration and apply it.",
            table,
            inner);
}
