using EfConcurrency.Resilience;

namespace EfConcurrency.Idempotency;

/// <summary>A key came again with another request. Nothing was done. Over HTTP: 422.</summary>
public sealed class IdempotencyKeyReusedException : InvalidOperationException, IFinalRefusal
{
    internal IdempotencyKeyReusedException(IdempotencyKey key)
        : base($"Idempotency key {key} was used before with another request. Nothing was done. A new operation needs a new key; a repetition must be the same request.")
        => Key = key;

    /// <summary>The key.</summary>
    public IdempotencyKey Key { get; }
}
