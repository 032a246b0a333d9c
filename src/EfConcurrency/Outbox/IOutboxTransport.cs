namespace EfConcurrency.Outbox;

/// <summary>Takes messages out of the process, or to handlers in it.</summary>
public interface IOutboxTransport
{
    /// <summary>Name of the transport; its progress is kept under it, so it must never change. 1 to 100 characters.</summary>
    string Sink { get; }

    /// <summary>
    /// Sends a slice of one lane and fills in a result for each message. After a message that failed, later ones of the same key must not be sent:
    /// leave them <see cref="SendStatus.NotSent"/>. Called for several lanes at a time, for one lane never twice at a time.
    /// </summary>
    /// <param name="batch">The messages in the order of their ids.</param>
    /// <param name="results">As many as messages, all <see cref="SendStatus.NotSent"/>.</param>
    /// <param name="cancellationToken">The process stops, or the lane is no longer ours; what is not sent stays as it is.</param>
    /// <returns>A task that ends when all results are filled in. An exception says that the transport is down; results filled in before it count.</returns>
    ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken);
}
