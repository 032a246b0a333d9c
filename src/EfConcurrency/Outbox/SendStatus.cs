namespace EfConcurrency.Outbox;

/// <summary>What a transport says about a message.</summary>
public enum SendStatus
{
    /// <summary>It was not reached: nothing is known of it, it counts as <see cref="Retry"/> without an error.</summary>
    NotSent,

    /// <summary>The receiver has it.</summary>
    Ok,

    /// <summary>It failed now and may succeed later.</summary>
    Retry,

    /// <summary>It will never succeed: a dead letter at once.</summary>
    Reject,
}
