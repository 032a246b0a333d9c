namespace EfConcurrency.QueryPipeline;

/// <summary>The second argument of a lock operator. Part of EF's cache key, so it has value equality.</summary>
internal interface ILockWait
{
    LockWait Value { get; }
}
