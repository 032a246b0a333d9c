using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>The locks under which work runs on this context. Scoped and pool-safe, like all per-context state.</summary>
internal sealed class AdvisoryLockState(TimeProvider time, ILoggerFactory loggers, AdvisoryLockNameRecorder names) : IEnvelopeContributor, IResettableService
{
    private readonly List<SessionLock> _sessions = [];
    private readonly List<(Guid Transaction, AdvisoryLockOptions Options, long Started)> _held = [];
    private ILogger? _logger;
    private bool _isInOwnTransaction;

    public TimeProvider Time => time;

    public ILogger Logger => _logger ??= loggers.CreateLogger(AdvisoryLocksLog.Category);

    public AdvisoryLockNameRecorder Names => names;

    /// <summary>The lock that rides with the write under way.</summary>
    public RidingLock? Riding { get; private set; }

    /// <summary>The save that failed in a transaction of ours. There is no savepoint to go back to, so it dooms the work, also when the exception was caught.</summary>
    public Exception? FailedSave { get; private set; }

    /// <summary>Whether the COMMIT on its way is the library's.</summary>
    public bool IsCommitting { get; set; }

    public static AdvisoryLockState Of(DbContext context)
        => ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(AdvisoryLockState)) as AdvisoryLockState
            ?? throw new InvalidOperationException($"'{context.GetType().Name}' has no UseEfConcurrency(). Call it on the context's options, beside UseNpgsql().");

    public void BeginOwnTransaction()
    {
        _isInOwnTransaction = true;
        IsCommitting = false;
        FailedSave = null;
    }

    public void EndOwnTransaction()
    {
        _isInOwnTransaction = false;
        IsCommitting = false;
        FailedSave = null;
    }

    /// <exception cref="InvalidOperationException">Another write with a lock is under way on this context.</exception>
    public void Ride(RidingLock riding)
        => Riding = Riding is null ? riding
            : throw new InvalidOperationException("A write under an advisory lock is under way on this context, and another was begun. Await the first, or give all keys to one call.");

    public void EndRide() => Riding = null;

    public void Enter(SessionLock held) => _sessions.Add(held);

    public void Leave(SessionLock held) => _sessions.Remove(held);

    /// <summary>A lock in the caller's transaction is held until that ends.</summary>
    public void HeldUntilEndOf(Guid transaction, AdvisoryLockOptions options, long started)
    {
        _held.RemoveAll(h => h.Transaction != transaction);
        _held.Add((transaction, options, started));
    }

    public void TransactionEnded(Guid transaction)
    {
        foreach (var (_, options, started) in _held.Where(h => h.Transaction == transaction))
        {
            AdvisoryLocksMeter.Held(options, time.GetElapsedTime(started));
        }

        _held.Clear();
    }

    public void Contribute(EnvelopeSave save)
    {
        foreach (var session in _sessions)
        {
            session.ThrowIfLost();
        }

        if (_isInOwnTransaction && FailedSave is { } failure)
        {
            throw new AdvisoryLockNotPossibleException(
                AdvisoryLockRefusal.SaveFailed,
                "A save under this advisory lock has failed, so the transaction can no longer be committed. Let the exception leave the work; to go on after a failed save, "
                + "open the transaction yourself and take the lock inside it.",
                failure);
        }

        if (Riding is { } riding)
        {
            save.AddLock(riding.Statement());
        }
    }

    public ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
        => ValueTask.FromResult(Riding?.Explain(exception));

    public void Failed(Exception exception)
    {
        Riding?.GaveUp(exception);
        if (_isInOwnTransaction)
        {
            FailedSave ??= exception;
        }
    }

    public void ResetState()
    {
        EndOwnTransaction();
        Riding = null;
        _sessions.Clear();
        _held.Clear();
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }
}
