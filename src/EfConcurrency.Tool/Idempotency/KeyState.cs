namespace EfConcurrency.Tool.Idempotency;

/// <summary>Where an operation stands, and whether somebody is at it.</summary>
internal enum KeyState
{
    /// <summary>A worker is at it.</summary>
    InProgress,

    /// <summary>Its worker is gone; the next call with the key goes on.</summary>
    Abandoned,

    /// <summary>Someone has to say whether a step took effect.</summary>
    NeedsResolution,

    /// <summary>Done, and replayed.</summary>
    Completed,

    /// <summary>Done, and its time is over: the next cleanup forgets it.</summary>
    Expired,
}
