namespace EfConcurrency.Idempotency;

/// <summary>What is wrong with an idempotency key or its scope.</summary>
public enum IdempotencyKeyProblem
{
    /// <summary>It is empty.</summary>
    Empty,

    /// <summary>It has more octets, in UTF-8, than are kept.</summary>
    TooLong,

    /// <summary>It holds a control character.</summary>
    ControlCharacter,

    /// <summary>It holds half of a surrogate pair, which has no UTF-8 form.</summary>
    BrokenText,
}
