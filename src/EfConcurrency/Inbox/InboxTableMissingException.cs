namespace EfConcurrency.Inbox;

/// <summary>The model has no inbox, or the database has not the table that the model says.</summary>
public sealed class InboxTableMissingException : InvalidOperationException
{
    internal InboxTableMissingException(string message, string? table, Exception? inner)
        : base(message, inner)
        => Table = table;

    /// <summary>The table, quoted, with its schema; null when the model has none.</summary>
    public string? Table { get; }

    internal static InboxTableMissingException NotInModel(string context)
        => new($"The model of '{context}' has no inbox. Call modelBuilder.HasInbox() in OnModelCreating, and add a migration.", table: null, inner: null);

    internal static InboxTableMissingException NotInDatabase(string table, Exception inner)
        => new(
            $"The database has no table {table} with the columns and partitions of the model: {inner.Message} HasInbox() put it into the model; add a migration and apply it.",
            table,
            inner);

    internal static InboxTableMissingException OtherPartitions(string table, int windowDays, int expected, int actual)
        => new(
            $"The inbox {table} has a window of {windowDays} days in the model and so should have {expected} partitions, but the database has {actual}. The window is fixed when the table is created, "
            + "because a message's partition follows from it: set WindowDays back, or drop and create the table in a migration while no messages are in flight.",
            table,
            inner: null);
}
