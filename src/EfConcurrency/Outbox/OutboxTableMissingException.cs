namespace EfConcurrency.Outbox;

/// <summary>The model has no outbox, or the database has not the tables that the model says.</summary>
public sealed class OutboxTableMissingException : InvalidOperationException
{
    internal OutboxTableMissingException(string message, string? table, Exception? inner)
        : base(message, inner)
        => Table = table;

    /// <summary>The table, quoted, with its schema; null when the model has none.</summary>
    public string? Table { get; }

    internal static OutboxTableMissingException NotInModel(string context)
        => new($"The model of '{context}' has no outbox. Call modelBuilder.HasOutbox() in OnModelCreating, and add a migration.", table: null, inner: null);

    internal static OutboxTableMissingException NotInDatabase(string table, Exception inner)
        => new(
            $"The database has no table {table} with the columns of the model: {inner.Message} HasOutbox() put it into the model; add a migration and apply it.",
            table,
            inner);
}
