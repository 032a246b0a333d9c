namespace EfConcurrency.Messaging;

/// <summary>
/// Handles one type of message. It runs in a DI scope of its own and inside the transaction of that scope's context, together with the row
/// of the inbox: take the context by constructor, change it, enqueue; the library saves and commits. It may run again after a conflict, in a new scope.
/// </summary>
/// <typeparam name="TMessage">A registered contract.</typeparam>
public interface IMessageHandler<in TMessage>
{
    /// <summary>Handles the message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="context">What came with it.</param>
    /// <param name="cancellationToken">The process stops, or the delivery is no longer ours.</param>
    /// <returns>A task that ends with the handler's work.</returns>
    Task HandleAsync(TMessage message, MessageContext context, CancellationToken cancellationToken);
}
