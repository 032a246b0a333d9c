using EfConcurrency.Messaging;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Inbox;

/// <summary>
/// Runs the handler of a delivered message once: its changes, what it enqueues and the row of the inbox are one transaction.
/// Transports call it; they acknowledge after it has returned. Never throws for a single message, except for cancellation.
/// </summary>
/// <typeparam name="TContext">The context whose model has <c>HasInbox()</c>.</typeparam>
public interface IInboxProcessor<TContext>
    where TContext : DbContext
{
    /// <summary>Handles one message.</summary>
    /// <param name="consumer">Name of the consumer; each handles a message once.</param>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Cancels the handler; nothing is changed then.</param>
    /// <returns>What became of it.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<InboxResult> ProcessAsync(string consumer, InboundMessage message, CancellationToken cancellationToken);

    /// <summary>
    /// Handles several messages in one transaction, in their order and on one context: cheaper than one by one, and none of them is handled without the others.
    /// Those that were handled before are passed over.
    /// </summary>
    /// <param name="consumer">Name of the consumer; each handles a message once.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="cancellationToken">Cancels the handlers; nothing is changed then.</param>
    /// <returns>
    /// <see cref="InboxOutcome.Handled"/> or, when none was new, <see cref="InboxOutcome.Duplicate"/>; with any other outcome nothing was changed: handle them one by one,
    /// which tells for each what became of it.
    /// </returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<InboxResult> ProcessTogetherAsync(string consumer, IReadOnlyList<InboundMessage> messages, CancellationToken cancellationToken);
}
