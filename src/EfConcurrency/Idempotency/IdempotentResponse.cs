namespace EfConcurrency.Idempotency;

/// <summary>A response as it is kept and replayed: octets, not objects.</summary>
public sealed record IdempotentResponse
{
    /// <summary>Creates a response whose decision follows from its status; see <see cref="DecisionFor"/>.</summary>
    /// <param name="status">HTTP status, or a number of your own; 0: none.</param>
    /// <param name="body">The octets.</param>
    /// <param name="headers">What is replayed of the headers, in order; names may repeat.</param>
    public IdempotentResponse(int status, ReadOnlyMemory<byte> body = default, IReadOnlyList<KeyValuePair<string, string>>? headers = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, short.MaxValue);
        Status = status;
        Body = body;
        Headers = headers ?? [];
        Decision = DecisionFor(status);
    }

    /// <summary>HTTP status; 0: none.</summary>
    public int Status { get; }

    /// <summary>The headers that are replayed.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

    /// <summary>The octets of the body; empty when they were not kept.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>What becomes of it.</summary>
    public IdempotentDecision Decision { get; init; }

    /// <summary>Whether this is a replay of a response whose body was not kept: it was too large, or <see cref="IdempotencyOptions.StoreBody"/> is off.</summary>
    public bool IsBodyOmitted { get; init; }

    /// <summary>
    /// 2xx and 3xx are kept with the work; deterministic 4xx are kept without it; what may be different next time is not kept
    /// (401, 403, 408, 409, 425, 429 and 5xx).
    /// </summary>
    /// <param name="status">HTTP status; 0: none, kept with the work.</param>
    /// <returns>The decision.</returns>
    public static IdempotentDecision DecisionFor(int status) => status switch
    {
        401 or 403 or 408 or 409 or 425 or 429 or >= 500 => IdempotentDecision.Discard,
        >= 400 => IdempotentDecision.StoreWithoutEffects,
        _ => IdempotentDecision.Store,
    };
}
