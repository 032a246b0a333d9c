using EfConcurrency.Resilience;

namespace EfConcurrency.Idempotency;

/// <summary>An idempotency key or its scope can't be used. <see cref="ArgumentException.ParamName"/> says which of the two.</summary>
public sealed class InvalidIdempotencyKeyException : ArgumentException, IFinalRefusal
{
    internal InvalidIdempotencyKeyException(IdempotencyKeyProblem problem, string part, int limit)
        : base(Describe(problem, part, limit), part)
        => Problem = problem;

    /// <summary>What is wrong.</summary>
    public IdempotencyKeyProblem Problem { get; }

    private static string Describe(IdempotencyKeyProblem problem, string part, int limit) => problem switch
    {
        IdempotencyKeyProblem.Empty when part == "scope"
            => "The scope of an idempotency key is empty. Name what the key belongs to, for example \"shop|tenant 7|withdraw\": two callers may choose the same key.",
        IdempotencyKeyProblem.Empty => "The idempotency key is empty. Send a new random one (a UUID, say) with each new operation, and the same with each repetition of it.",
        IdempotencyKeyProblem.TooLong => $"The {part} of the idempotency key has more than {limit} octets in UTF-8. Use a shorter one; a UUID has 36.",
        IdempotencyKeyProblem.ControlCharacter => $"The {part} of the idempotency key holds a control character. Use printable characters.",
        _ => $"The {part} of the idempotency key holds half of a surrogate pair and can't be written as UTF-8. Use valid Unicode text.",
    };
}
