namespace IdempotencyHost;

/// <summary>How the operation is made idempotent.</summary>
public enum Mode
{
    SameTransaction,
    InsertLast,
    TwoPhase,
}
