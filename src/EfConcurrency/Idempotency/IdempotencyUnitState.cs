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

    public TimeProvider Time => time;

    public ILogger Logger => _logger ??= loggers.CreateLogger(IdempotencyLog.Category);

    public bool IsActive { get; private set; }

    /// <summary>The save that failed in a transaction of ours. There is no savepoint to go back to, so it dooms the work, also when the exception was caught.</summary>
    public Exception? FailedSave { get; private set; }

    /// <summary>What ends the transaction, in the place of the provider's COMMIT.</summary>
    public Func<Task>? Completion { get; set; }

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

    public void Contribute(EnvelopeSave save)
    {
        if (_isInOwnTransaction && FailedSave is { } failure)
        {
            throw new IdempotencyNotPossibleException(
                "A save of this idempotent operation has failed, so its work can no longer be committed. Let the exception leave the work, or return a response that is not stored or stored without effects.",
                failure);
        }
    }

    public void Failed(Exception exception)
    {
        if (_isInOwnTransaction)
        {
            FailedSave ??= exception;
        }
    }

    public void ResetState()
    {
        IsActive = false;
        _isInOwnTransaction = false;
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
