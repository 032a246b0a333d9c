using EfConcurrency.Resilience;

namespace EfConcurrency.RowLocks;

/// <summary>A query with a lock operator was about to run outside of a transaction. Nothing was sent.</summary>
public sealed class RowLockTransactionRequiredException : InvalidOperationException, IFinalRefusal
{
    internal RowLockTransactionRequiredException(string context)
        : base(
            $"A query of '{context}' locks rows, but there is no open transaction: the locks would end with the statement and protect nothing. "
            + "Begin one (await db.Database.BeginTransactionAsync(), inside CreateExecutionStrategy().ExecuteAsync(…) with EnableRetryOnFailure), or use RetryOnConflictAsync, whose units have one.")
    {
    }
}
