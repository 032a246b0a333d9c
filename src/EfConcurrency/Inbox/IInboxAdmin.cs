namespace EfConcurrency.Inbox;

/// <summary>What operators ask an inbox. Works on the context's connection, and in its transaction when there is one.</summary>
public interface IInboxAdmin
{
    /// <summary>
    /// Finds who has accepted a message. The window is that of the table in the database, whatever the model says. Without a consumer it looks through the partition of the message's
    /// day, or of ids without a day: with millions of messages it takes a moment.
    /// </summary>
    /// <param name="messageId">The producer's id: a UUID, or any text of up to 500 characters.</param>
    /// <param name="consumer">Only this consumer; null: all.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>Who has accepted it, and whether the inbox can tell.</returns>
    /// <exception cref="ArgumentException">The id or the name is empty, too long, or can't be stored.</exception>
    /// <exception cref="InboxTableMissingException">The database has not the table of the model.</exception>
    Task<InboxMessageInfo> FindAsync(string messageId, string? consumer = null, CancellationToken cancellationToken = default);
}
