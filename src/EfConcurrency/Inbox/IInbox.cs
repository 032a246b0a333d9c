namespace EfConcurrency.Inbox;

/// <summary>
/// Recognises messages that were handled before. A row per consumer and message is written in the transaction of the handler's changes, so that
/// both are there or neither. An id is a UUID, or any text of up to 500 characters (a webhook's event id). A UUID of version 7 says when it was
/// made: outside of the inbox's window, by the database's clock, it is refused, because a duplicate could no longer be told.
/// </summary>
public interface IInbox
{
    /// <summary>
    /// Accepts a message in the transaction that is open on the context; to be called first in it. Where another transaction has accepted it and has not
    /// ended yet, waits for its end. Above read committed that wait may end with a serialization failure (40001): run the transaction again.
    /// </summary>
    /// <param name="consumer">Who handles it, 1 to 100 characters; each consumer handles a message once.</param>
    /// <param name="messageId">The producer's id.</param>
    /// <param name="cancellationToken">Cancels the wait; the transaction can then only be rolled back.</param>
    /// <returns>True when it is new: handle it and commit. False when it was handled before: do nothing.</returns>
    /// <exception cref="ArgumentException">The name or the id is empty, too long, or can't be stored.</exception>
    /// <exception cref="InboxTransactionRequiredException">The context is in no transaction.</exception>
    /// <exception cref="InboxMessageOutsideWindowException">The id is older than the window, or from the future.</exception>
    /// <exception cref="InboxTableMissingException">The model has no inbox, or the database has not its table.</exception>
    Task<bool> TryAcceptAsync(string consumer, string messageId, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="TryAcceptAsync(string, string, CancellationToken)"/>
    Task<bool> TryAcceptAsync(string consumer, Guid messageId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Saves the context's changes and accepts the message in the same batch, which costs no further round trip and needs no transaction: all of it is
    /// committed, or nothing. After false the context keeps its unsaved changes, and no later save of it succeeds: dispose it.
    /// </summary>
    /// <param name="consumer">Who handles it, 1 to 100 characters; each consumer handles a message once.</param>
    /// <param name="messageId">The producer's id.</param>
    /// <param name="cancellationToken">Cancels the save.</param>
    /// <returns>True when it is new, and is saved. False when it was handled before: nothing was saved.</returns>
    /// <exception cref="ArgumentException">The name or the id is empty, too long, or can't be stored.</exception>
    /// <exception cref="InboxMessageOutsideWindowException">The id is older than the window, or from the future.</exception>
    /// <exception cref="InboxTableMissingException">The model has no inbox, or the database has not its table.</exception>
    /// <exception cref="Microsoft.EntityFrameworkCore.DbUpdateException">The save failed. It may be repeated.</exception>
    Task<bool> TrySaveAsync(string consumer, string messageId, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="TrySaveAsync(string, string, CancellationToken)"/>
    Task<bool> TrySaveAsync(string consumer, Guid messageId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets the next save of the context accept the message, as <see cref="TrySaveAsync(string, string, CancellationToken)"/> does; for code that
    /// does not save itself. A duplicate makes that save fail with <see cref="InboxDuplicateException"/>.
    /// </summary>
    /// <param name="consumer">Who handles it, 1 to 100 characters; each consumer handles a message once.</param>
    /// <param name="messageId">The producer's id.</param>
    /// <exception cref="ArgumentException">The name or the id is empty, too long, or can't be stored.</exception>
    /// <exception cref="InboxTableMissingException">The model has no inbox.</exception>
    void AcceptWithNextSave(string consumer, string messageId);

    /// <inheritdoc cref="AcceptWithNextSave(string, string)"/>
    void AcceptWithNextSave(string consumer, Guid messageId);
}
