namespace EfConcurrency.Outbox;

/// <summary>A transport's answer about one message.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="RetryAfter">When to try again at the earliest; null: the dispatcher's back-off decides.</param>
/// <param name="Error">Why it failed; its message is kept with the message.</param>
public readonly record struct SendResult(SendStatus Status, TimeSpan? RetryAfter = null, Exception? Error = null)
{
    /// <summary>The receiver has it.</summary>
    public static SendResult Ok => new(SendStatus.Ok);
}
