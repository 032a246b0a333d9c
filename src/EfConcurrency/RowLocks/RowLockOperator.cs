using System.Reflection;
using EfConcurrency.QueryPipeline;

namespace EfConcurrency.RowLocks;

/// <summary>The forms in which a lock operator stands in the tree. Only a limited wait needs an argument.</summary>
internal sealed class RowLockOperator(
    Func<IQueryable<object>, IQueryable<object>> waits,
    Func<IQueryable<object>, RowLockWait, IQueryable<object>> waitsAsTold,
    Func<IQueryable<object>, IQueryable<object>> noWait,
    Func<IQueryable<object>, IQueryable<object>> skipLocked)
{
    private readonly MethodInfo _waits = Open(waits);
    private readonly MethodInfo _waitsAsTold = Open(waitsAsTold);
    private readonly MethodInfo _noWait = Open(noWait);
    private readonly MethodInfo _skipLocked = Open(skipLocked);

    public IQueryable<T> Add<T>(IQueryable<T> source, RowLockWait wait) => ((ILockWait)wait).Value.Kind switch
    {
        LockWaitKind.Wait => LockOperatorAttribute.Add(source, _waits),
        LockWaitKind.NoWait => LockOperatorAttribute.Add(source, _noWait),
        LockWaitKind.SkipLocked => LockOperatorAttribute.Add(source, _skipLocked),
        _ => LockOperatorAttribute.Add(source, _waitsAsTold, wait),
    };

    private static MethodInfo Open(Delegate lockOperator) => lockOperator.Method.GetGenericMethodDefinition();
}
