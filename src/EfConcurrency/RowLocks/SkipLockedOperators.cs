using EfConcurrency.QueryPipeline;

namespace EfConcurrency.RowLocks;

/// <summary>What stands in the tree for the lock operators with <see cref="RowLockWait.SkipLocked"/>: each by the name of the public one.</summary>
internal static class SkipLockedOperators
{
    [LockOperator(LockClauseSql.ForUpdate, LockWaitKind.SkipLocked)]
    public static IQueryable<T> ForUpdate<T>(IQueryable<T> source)
        where T : class
        => source;

    [LockOperator(LockClauseSql.ForNoKeyUpdate, LockWaitKind.SkipLocked)]
    public static IQueryable<T> ForNoKeyUpdate<T>(IQueryable<T> source)
        where T : class
        => source;

    [LockOperator(LockClauseSql.ForShare, LockWaitKind.SkipLocked)]
    public static IQueryable<T> ForShare<T>(IQueryable<T> source)
        where T : class
        => source;

    [LockOperator(LockClauseSql.ForKeyShare, LockWaitKind.SkipLocked)]
    public static IQueryable<T> ForKeyShare<T>(IQueryable<T> source)
        where T : class
        => source;
}
