namespace EfConcurrency.QueryPipeline;

/// <summary>How long a statement waits for locks.</summary>
/// <param name="Kind">Whether it waits.</param>
/// <param name="Milliseconds">The limit for each wait, if there is one.</param>
internal readonly record struct LockWait(LockWaitKind Kind, int Milliseconds)
{
    /// <summary>Whether the statement fails by design where a row is locked, so that a savepoint is due.</summary>
    public bool MayFail => Kind is LockWaitKind.NoWait or LockWaitKind.WaitLimited;
}
