namespace EfConcurrency.Messaging;

/// <summary>
/// To be thrown by a handler that knows that the message will never succeed (an order that does not exist, an amount below zero): its changes are
/// undone, and the message becomes a dead letter at once, without further attempts.
/// </summary>
/// <param name="message">Why, for who looks at the dead letters.</param>
/// <param name="innerException">What was found, or null.</param>
public sealed class MessageRejectedException(string message, Exception? innerException = null) : Exception(message, innerException);
