namespace EfConcurrency.Idempotency;

/// <summary>What one that found a key in the table is to do.</summary>
internal enum IdempotencyVerdict
{
    /// <summary>The key is forgotten: begin its new life.</summary>
    Reset,

    /// <summary>Another request had this key.</summary>
    Reused,

    /// <summary>Done: say again what was said.</summary>
    Replay,

    /// <summary>Someone has to look first.</summary>
    NeedsResolution,

    /// <summary>The claim is this call's own, from an attempt whose reply was lost.</summary>
    AlreadyOurs,

    /// <summary>Its worker is gone.</summary>
    TakeOver,

    /// <summary>Its worker is alive.</summary>
    InProgress,
}
