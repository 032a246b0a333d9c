namespace EfConcurrency.Outbox;

/// <summary>
/// The messages of a context that leave with its next save: <c>db.Outbox()</c>. They follow what EF does with changes: a save that fails keeps them for
/// the next one, <c>ChangeTracker.Clear()</c> and the return of a pooled context forget them, and what was saved in a transaction is rolled back with it
/// and not sent again. Like the context, for one thread at a time.
/// </summary>
public interface IOutbox
{
    /// <summary>Number of messages that wait for a save.</summary>
    int UnsavedCount { get; }

    /// <summary>
    /// Adds a message to the next save. It is serialised now: what is changed in the object later does not change the message.
    /// Messages of one key are delivered in the order of the commits, if whoever enqueues them has written a row of that key in the same save or before it.
    /// </summary>
    /// <typeparam name="TMessage">Any base of the message's type; the contract is that of the object's own type.</typeparam>
    /// <param name="message">The message.</param>
    /// <param name="key">What it is ordered by, at most 200 octets of UTF-8; null: in no order.</param>
    /// <param name="headers">
    /// More headers, at most 50. Names: 1 to 100 of <c>a-z 0-9 - _ .</c>, none of those in <see cref="Messaging.MessageHeaders"/>; values: at most 4,000 characters, no control characters.
    /// </param>
    /// <param name="delay">Deliver not earlier than this after the save, by the database's clock; at most 366 days. A delayed message is outside of the order of its key.</param>
    /// <returns>The message's id, a UUID version 7. It stays the same when the save is repeated, so that consumers recognise a second copy.</returns>
    /// <exception cref="OutboxMessageRefusedException">The message can't be sent like this; nothing was added.</exception>
    Guid Enqueue<TMessage>(TMessage message, string? key = null, IReadOnlyDictionary<string, string>? headers = null, TimeSpan delay = default)
        where TMessage : notnull;

    /// <summary>Adds several messages to the next save, in their order: all of them, or none when one is refused.</summary>
    /// <typeparam name="TMessage">Any base of the messages' types.</typeparam>
    /// <param name="messages">The messages.</param>
    /// <param name="key">Gives the key of each; null: in no order.</param>
    /// <param name="headers">More headers for each; see <see cref="Enqueue"/>.</param>
    /// <param name="delay">See <see cref="Enqueue"/>.</param>
    /// <returns>The ids, in the same order.</returns>
    /// <exception cref="OutboxMessageRefusedException">One of them can't be sent like this; none was added.</exception>
    IReadOnlyList<Guid> EnqueueAll<TMessage>(
        IEnumerable<TMessage> messages, Func<TMessage, string?>? key = null, IReadOnlyDictionary<string, string>? headers = null, TimeSpan delay = default)
        where TMessage : notnull;
}
