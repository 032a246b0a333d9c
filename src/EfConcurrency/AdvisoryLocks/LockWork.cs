namespace EfConcurrency.AdvisoryLocks;

/// <summary>What is to be done under the lock.</summary>
/// <param name="OnlyIf">The condition, which has held once and is asked again under the lock; null: none.</param>
/// <param name="Body">The work.</param>
internal sealed record LockWork<TResult>(Func<CancellationToken, Task<bool>>? OnlyIf, Func<AdvisoryLock, CancellationToken, Task<TResult>> Body)
{
    /// <summary>Under the lock.</summary>
    public async Task<AdvisoryLockOutcome<TResult>> RunAsync(AdvisoryLock held, CancellationToken cancellationToken)
        => OnlyIf is not null && !await OnlyIf(cancellationToken).ConfigureAwait(false)
            ? AdvisoryLockOutcome<TResult>.ConditionNotMet()
            : AdvisoryLockOutcome<TResult>.Of(await Body(held, cancellationToken).ConfigureAwait(false));
}
