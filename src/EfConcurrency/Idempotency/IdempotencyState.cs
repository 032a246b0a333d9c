namespace EfConcurrency.Idempotency;

/// <summary>Where an operation stands.</summary>
public enum IdempotencyState : short
{
    /// <summary>It is being worked on, or its process died.</summary>
    InProgress = 0,

    /// <summary>It is done, and is replayed.</summary>
    Completed = 1,

    /// <summary>Someone has to say whether a step took effect.</summary>
    NeedsResolution = 2,
}
