namespace EfConcurrency.Idempotency;

/// <summary>What becomes of a step of which nobody knows whether it took effect: its process died, or its connection, in the middle of it.</summary>
public enum IdempotencyAmbiguity
{
    /// <summary>It runs again. Right when the other system knows the downstream key, or the step is harmless twice. The default.</summary>
    RunAgain,

    /// <summary>Never again by itself: the key is kept as "needs resolution" until someone who has looked calls <c>ResolveAsync</c> or <c>ResumeAsync</c>.</summary>
    NeedsResolution,
}
