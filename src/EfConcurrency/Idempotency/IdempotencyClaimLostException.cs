using EfConcurrency.Resilience;

namespace EfConcurrency.Idempotency;

/// <summary>
/// Another has taken the operation over, or has resolved or erased it. What this call was about to write has been rolled back; phases that were
/// committed before are the successor's now.
/// </summary>
public sealed class IdempotencyClaimLostException : InvalidOperationException, IFinalRefusal
{
    internal IdempotencyClaimLostException(IdempotencyKey key, long fence, Exception? innerException = null)
        : base(
            $"The claim on idempotency key {key} (fence {fence}) is lost: another has taken the operation over, or it was resolved or erased. "
            + "What was about to be written is rolled back. Repeat the call with the same key to learn the outcome.",
            innerException)
    {
        Key = key;
        Fence = fence;
    }

    /// <summary>The key.</summary>
    public IdempotencyKey Key { get; }

    /// <summary>The claim that was lost.</summary>
    public long Fence { get; }
}
