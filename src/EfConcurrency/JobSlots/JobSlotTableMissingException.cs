namespace EfConcurrency.JobSlots;

/// <summary>The model has no job slots, or the database has not the table that the model says.</summary>
public sealed class JobSlotTableMissingException : InvalidOperationException
{
    internal JobSlotTableMissingException(string message, string? table, Exception? inner)
        : base(message, inner)
        => Table = table;

    /// <summary>The table, quoted, with its schema; null when the model has none.</summary>
    public string? Table { get; }

    internal static JobSlotTableMissingException NotInModel(string context)
        => new($"The model of '{context}' has no job slots. Call modelBuilder.HasJobSlots() in OnModelCreating, and add a migration.", table: null, inner: null);

    internal static JobSlotTableMissingException NotInDatabase(string table, Exception inner)
        => new(
            $"The database has no table {table} with the columns of the model: {inner.Message} HasJobSlots() put it into the model; add a migration and apply it.",
            table,
            inner);
}
