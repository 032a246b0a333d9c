using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>What all forms of the call have in common.</summary>
internal static class AdvisoryLockRunner
{
    public static async Task<AdvisoryLockOutcome<TResult>> RunAsync<TResult>(
        DbContext context, AdvisoryKeySet keys, LockWork<TResult> work, AdvisoryLockOptions? options, bool isTry, CancellationToken cancellationToken)
    {
        var request = new LockRequest(context, keys, options, isTry);

        // Asked without the lock first: where the work is done already, which is the common case, nobody queues.
        if (work.OnlyIf is not null && !await work.OnlyIf(cancellationToken).ConfigureAwait(false))
        {
            return AdvisoryLockOutcome<TResult>.ConditionNotMet();
        }

        await request.State.Names.RecordAsync(request, cancellationToken).ConfigureAwait(false);
        var outcome = await (request.Options.Scope == AdvisoryLockScope.Session
            ? new SessionScope<TResult>(request, work).RunAsync(cancellationToken)
            : new TransactionLock<TResult>(request, work).RunAsync(cancellationToken)).ConfigureAwait(false);
        return outcome.Status == AdvisoryLockStatus.Busy && !isTry ? throw request.TimedOut(outcome.WaitEndedBy) : outcome;
    }

    public static Func<AdvisoryLock, CancellationToken, Task<bool>> WithResult(Func<AdvisoryLock, CancellationToken, Task> body)
        => async (held, token) =>
        {
            await body(held, token).ConfigureAwait(false);
            return true;
        };
}
