using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Idempotency;

/// <summary>The operation that runs on this context. Scoped and pool-safe, like all per-context state.</summary>
internal sealed class IdempotencyUnitState(TimeProvider time, ILoggerFactory loggers) : IEnvelopeContributor, IResettableService
{
    private ILogger? _logger;
    private bool _isInOwnTransaction;
    private bool _refusesWrites;
    private CompletedRow? _row;

    public TimeProvider Time => time;

    public ILogger Logger => _logger ??= loggers.CreateLogger(IdempotencyLog.Category);

    public bool IsActive { get; private set; }

    /// <summary>The save that failed in a transaction of ours. There is no savepoint to go back to, so it dooms the work, also when the exception was caught.</summary>
    public Exception? FailedSave { get; private set; }

    /// <summary>What ends the transaction, in the place of the provider's COMMIT.</summary>
    public Func<Task>? Completion { get; set; }

    /// <summary>The claim under which steps run; null unless in TwoPhase.</summary>
    public PhasedClaim? Phases { get; private set; }

    /// <summary>InsertLast with nothing else to save.</summary>
    public bool HasPendingWork => _row is not null;

    public static IdempotencyUnitState Of(DbContext context)
        => ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(IdempotencyUnitState)) as IdempotencyUnitState
            ?? throw new InvalidOperationException($"'{context.GetType().Name}' has no UseEfConcurrency(). Call it on the context's options, beside UseNpgsql().");

    /// <summary>An operation begins; it ends when the result is disposed.</summary>
    public IDisposable Begin(bool isInOwnTransaction)
    {
        ResetState();
        IsActive = true;
        _isInOwnTransaction = isInOwnTransaction;
        return new End(this);
    }

    /// <summary>An operation begins that may only change tracked entities.</summary>
    public IDisposable BeginInsertLast()
    {
        var end = Begin(isInOwnTransaction: false);
        _refusesWrites = true;
        return end;
    }

    /// <summary>An operation in steps begins.</summary>
    public IDisposable BeginPhases(PhasedClaim claim)
    {
        var end = Begin(isInOwnTransaction: false);
        Phases = claim;
        return end;
    }

    /// <summary>A transaction of ours begins within the operation.</summary>
    public void EnterPhase()
    {
        _isInOwnTransaction = true;
        FailedSave = null;
    }

    public void LeavePhase()
    {
        _isInOwnTransaction = false;
        FailedSave = null;
        Completion = null;
    }

    /// <summary>The next save takes the row along.</summary>
    public void Save(CompletedRow row)
    {
        _refusesWrites = false;
        _row = row;
    }

    public void Contribute(EnvelopeSave save)
    {
        RefuseWrite();
        if (_isInOwnTransaction && FailedSave is { } failure)
        {
            throw new IdempotencyNotPossibleException(
                "A save of this idempotent operation has failed, so its work can no longer be committed. Let the exception leave the work, or return a response that is not stored or stored without effects.",
                failure);
        }

        if (_row is not null)
        {
            save.AddGuard(_row.Statement());
        }
        else if (Phases is not null && !_isInOwnTransaction)
        {
            save.AddGuard(Phases.Guard());
        }
    }

    public void Saved() => _row = null;

    public void Failed(Exception exception)
    {
        if (_isInOwnTransaction)
        {
            FailedSave ??= exception;
        }
    }

    /// <summary>EF wraps what a statement of ours throws.</summary>
    public ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
        => ValueTask.FromResult<Exception?>(exception.InnerException as IdempotencyClaimLostException);

    /// <exception cref="IdempotencyNotPossibleException">InsertLast, and the work is not over.</exception>
    public void RefuseWrite()
    {
        if (_refusesWrites)
        {
            throw new IdempotencyNotPossibleException(
                "With InsertLast the work changes tracked entities and leaves the saving to ExecuteIdempotentlyAsync: what it saves itself (SaveChanges, ExecuteUpdate, ExecuteSql) would be committed without the key. "
                + "Drop that call, or use IdempotencyMode.SameTransaction.");
        }
    }

    public void ResetState()
    {
        IsActive = false;
        _isInOwnTransaction = false;
        _refusesWrites = false;
        _row = null;
        Phases = null;
        FailedSave = null;
        Completion = null;
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private sealed class End(IdempotencyUnitState state) : IDisposable
    {
        public void Dispose() => state.ResetState();
    }
}
