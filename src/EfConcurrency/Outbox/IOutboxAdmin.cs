namespace EfConcurrency.Outbox;

/// <summary>What operators do with an outbox. Works on the context's connection, and in its transaction when there is one.</summary>
public interface IOutboxAdmin
{
    /// <summary>The sinks with their lanes and dispatchers.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>Sinks by name.</returns>
    Task<IReadOnlyList<OutboxSinkState>> ListSinksAsync(CancellationToken cancellationToken = default);

    /// <summary>How far a sink is behind. Looks at every undelivered message: with a large backlog it takes a moment.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The lag.</returns>
    Task<OutboxLag> GetLagAsync(string sink, CancellationToken cancellationToken = default);

    /// <summary>Dead letters in the order of ids.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="afterId">Only those with higher ids, for the next page.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The dead letters.</returns>
    Task<IReadOnlyList<OutboxPending>> ListDeadLettersAsync(string sink, int count = 100, long afterId = 0, CancellationToken cancellationToken = default);

    /// <summary>Messages that failed and are tried again, that follow one that did, or that wait for their time; in the order of ids.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="afterId">Only those with higher ids, for the next page.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The waiting messages.</returns>
    Task<IReadOnlyList<OutboxPending>> ListWaitingAsync(string sink, int count = 100, long afterId = 0, CancellationToken cancellationToken = default);

    /// <summary>Finds a message and what became of it in all sinks. Looks through the log, which has no index for that: with millions of messages it takes seconds.</summary>
    /// <param name="messageId">The message.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The message; null when it is unknown: never committed, or delivered everywhere and gone with its partition of the log (after one to two days).</returns>
    Task<OutboxMessageInfo?> FindAsync(Guid messageId, CancellationToken cancellationToken = default);

    /// <summary>Delivers a dead letter again, or a waiting message at once; its attempts begin anew.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="messageId">The message.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>Whether there was one.</returns>
    Task<bool> ReplayAsync(string sink, Guid messageId, CancellationToken cancellationToken = default);

    /// <summary>Delivers the dead letters of a time again.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="from">Enqueued at or after.</param>
    /// <param name="until">Enqueued before; null: until now.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>How many.</returns>
    Task<int> ReplayDeadLettersAsync(string sink, DateTimeOffset from, DateTimeOffset? until = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes a waiting message out of delivery: it becomes a dead letter, and its key goes on (unless dead letters hold it). A delivery that is under way is not
    /// stopped: when it succeeds, the message is delivered and gone.
    /// </summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="messageId">The message.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>Whether it was waiting.</returns>
    Task<bool> ParkAsync(string sink, Guid messageId, CancellationToken cancellationToken = default);

    /// <summary>Deletes dead letters.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="enqueuedBefore">Only those that were enqueued before.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>How many.</returns>
    Task<int> PurgeDeadLettersAsync(string sink, DateTimeOffset enqueuedBefore, CancellationToken cancellationToken = default);

    /// <summary>Sets a sink back: it gets all messages again that were enqueued since then and are still in the log (today's and yesterday's). Nothing undelivered is left out.</summary>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="since">Enqueued at or after.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>Number of lanes that were set back.</returns>
    Task<int> RewindAsync(string sink, DateTimeOffset since, CancellationToken cancellationToken = default);

    /// <summary>Forgets a sink that is no longer used, which otherwise keeps partitions from being emptied: its progress, and what waits for it.</summary>
    /// <param name="sink">Name of the transport; no dispatcher may serve it any more, or it begins anew.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>Whether there was one.</returns>
    Task<bool> RemoveSinkAsync(string sink, CancellationToken cancellationToken = default);

    /// <summary>
    /// Repairs an outbox after a restore from a dump, where transaction ids begin anew and cursors point beyond them. All sinks get all messages of the log
    /// again; consumers recognise duplicates by their ids. Does nothing where it is not needed.
    /// </summary>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>Whether it was needed.</returns>
    Task<bool> ReseedAsync(CancellationToken cancellationToken = default);
}
