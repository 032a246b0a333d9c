namespace EfConcurrency.QueryPipeline;

/// <summary>What a statement does about a row that someone else has locked.</summary>
internal enum LockWaitKind
{
    Wait,
    WaitLimited,
    NoWait,
    SkipLocked,
}
