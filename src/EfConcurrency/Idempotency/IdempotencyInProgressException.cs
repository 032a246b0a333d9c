using EfConcurrency.Resilience;

namespace EfConcurrency.Idempotency;

/// <summary>The operation is being worked on. Nothing was done by this call. Over HTTP: 409 with <c>Retry-After</c>.</summary>
public sealed class IdempotencyInProgressException : InvalidOperationException, IFinalRefusal
{
    internal IdempotencyInProgressException(IdempotencyKey key, TimeSpan retryAfter, Exception? innerException = null)
        : base(
            $"The operation of idempotency key {key} is still being worked on. Nothing was done by this call. Repeat it with the same key in {Math.Ceiling(retryAfter.TotalSeconds)} s, "
            + "or let it wait: IdempotencyOptions.OnInFlight = IdempotencyInFlight.Wait(…).",
            innerException)
    {
        Key = key;
        RetryAfter = retryAfter;
    }

    /// <summary>The key.</summary>
    public IdempotencyKey Key { get; }

    /// <summary>When to ask again: the rest of the other's lease, or <see cref="IdempotencyOptions.RetryAfter"/> when that is sooner or nothing better is known.</summary>
    public TimeSpan RetryAfter { get; }
}
