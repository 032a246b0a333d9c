namespace EfConcurrency.Idempotency;

/// <summary>What becomes of a response and of the work that led to it.</summary>
public enum IdempotentDecision
{
    /// <summary>The work is committed and the response kept.</summary>
    Store,

    /// <summary>The work in this database is rolled back and the response kept: a deterministic refusal, which a repetition gets again.</summary>
    StoreWithoutEffects,

    /// <summary>The work is rolled back and nothing is kept: a repetition runs anew. In TwoPhase the key stays at the recovery point it has reached.</summary>
    Discard,
}
