using EfConcurrency.Resilience;

namespace EfConcurrency.Idempotency;

/// <summary>
/// Nobody knows whether a step of the operation took effect, and it must not run twice. Someone has to look at the other system and
/// say so: <c>db.Idempotency().ResolveAsync</c> or <c>ResumeAsync</c>. Over HTTP: 409.
/// </summary>
public sealed class IdempotencyNeedsResolutionException : InvalidOperationException, IFinalRefusal
{
    internal IdempotencyNeedsResolutionException(IdempotencyKey key, string? step, Exception? innerException = null)
        : base(
            $"The operation of idempotency key {key} stopped in step '{step}', and whether that took effect is not known. It is not run again by itself. "
            + "Look at the other system, then call db.Idempotency().ResolveAsync(key, response) with what it led to, or ResumeAsync(key) to let it run again.",
            innerException)
    {
        Key = key;
        Step = step;
    }

    /// <summary>The key.</summary>
    public IdempotencyKey Key { get; }

    /// <summary>The step.</summary>
    public string? Step { get; }
}
