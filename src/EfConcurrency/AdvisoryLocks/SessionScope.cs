namespace EfConcurrency.AdvisoryLocks;

/// <summary>One call in session scope. Nothing is retried here: a second attempt could not know what the first one left.</summary>
internal sealed class SessionScope<TResult>(LockRequest request, LockWork<TResult> work)
{
    public async Task<AdvisoryLockOutcome<TResult>> RunAsync(CancellationToken cancellationToken)
    {
        ThrowIfInTransaction("A session lock was asked for inside an open transaction: it would end before the commit, and the next holder would not see what was written. "
            + "Take it before the transaction begins, or use transaction scope.");
        var (held, reply) = await SessionLock.TakeAsync(request, cancellationToken).ConfigureAwait(false);
        if (held is null)
        {
            return AdvisoryLockOutcome<TResult>.Busy(reply.WaitEndedBy);
        }

        AdvisoryLockOutcome<TResult> outcome;
        try
        {
            outcome = await WorkAsync(held, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            request.State.Leave(held);
            await held.DisposeAsync().ConfigureAwait(false);
        }

        held.ThrowIfLost();
        return outcome;
    }

    private async Task<AdvisoryLockOutcome<TResult>> WorkAsync(SessionLock held, CancellationToken cancellationToken)
    {
        using var hold = new LockHold(request, held.Reply.Id);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, held.LostToken);
        request.State.Enter(held);
        try
        {
            var outcome = await work.RunAsync(request.Handle(held.Reply, held.LostToken), either.Token).ConfigureAwait(false);
            ThrowIfInTransaction("The work under a session lock left a transaction open, which the lock does not outlast. Commit or roll back inside the work.");
            return outcome;
        }
        catch (OperationCanceledException) when (held.LostToken.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            held.ThrowIfLost();
            throw;
        }
    }

    private void ThrowIfInTransaction(string message)
    {
        if (request.Context.Database.CurrentTransaction is not null || System.Transactions.Transaction.Current is not null)
        {
            throw new AdvisoryLockNotPossibleException(AdvisoryLockRefusal.OpenTransaction, message);
        }
    }
}
