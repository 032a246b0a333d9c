using System.Diagnostics;
using System.Reflection;
using System.Runtime.ExceptionServices;
using EfConcurrency.Diagnostics;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;

namespace EfConcurrency.Versioning;

/// <summary>One call of <c>RetryOnConflictAsync</c>: its attempts, and what they learn from each other.</summary>
internal sealed class RetryUnit<TContext, TResult>(
    IRetryContextSource<TContext> contexts, Func<TContext, CancellationToken, Task<TResult>> work, MethodInfo place, RetryOnConflictOptions options)
    : IRetryUnit
    where TContext : DbContext
{
    private readonly ContendedRows _rows = new(place, options);
    private Activity? _activity;
    private ILogger? _logger;
    private int _attempt;

    public async Task<TResult> RunAsync(CancellationToken cancellationToken)
    {
        using var activity = _activity = Telemetry.Activities.StartActivity(SpanNames.RetryOnConflict);
        var resilience = ResilienceContextPool.Shared.Get(cancellationToken);
        resilience.Properties.Set(RetryPipeline.Unit, this);
        try
        {
            var result = await options.Pipeline.ExecuteAsync(static (context, unit) => unit.AttemptAsync(context.CancellationToken), resilience, this).ConfigureAwait(false);
            VersioningMeter.Unit("committed");
            activity?.SetTag(TagNames.Attempt, _attempt);
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            VersioningMeter.Unit("cancelled");
            activity?.SetTag(TagNames.Attempt, _attempt);
            throw;
        }
        catch (Exception exception)
        {
            var isExhausted = MayRunAgain(exception);
            VersioningMeter.Unit(isExhausted ? "exhausted" : "failed", exception);
            activity.Fail(exception);
            activity?.SetTag(TagNames.Attempt, _attempt);
            exception.Data["EfConcurrency.Attempts"] = _attempt;
            if (isExhausted && _logger is not null)
            {
                VersioningLog.RetriesExhausted(_logger, _attempt, exception.Message);
            }

            throw;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(resilience);
        }
    }

    public bool MayRunAgain(Exception exception) => ReplayClassifier.Classify(exception, options.RetriedConstraintSet) != ReplayVerdict.Never;

    /// <summary>No pause before an attempt that locks: it queues behind the others in the database, in a fair order.</summary>
    public TimeSpan Delay() => _rows.LocksFirst ? TimeSpan.Zero : BackOff.Delay(options, _attempt, Random.Shared.NextDouble());

    public void Learn(Exception exception)
    {
        VersioningMeter.Retry();
        _activity?.AddEvent(new("efconcurrency.retry", tags: new() { [TagNames.Attempt] = _attempt, [TagNames.ErrorType] = exception.GetType().FullName }));
        if (_logger is not null)
        {
            VersioningLog.RetryingAfterConflict(_logger, _attempt, options.MaxAttempts, exception.Message);
        }

        options.OnRetry?.Invoke(new(_attempt, exception));
    }

    private async ValueTask<TResult> AttemptAsync(CancellationToken cancellationToken)
    {
        _attempt++;
        var context = await contexts.OpenAsync(cancellationToken).ConfigureAwait(false);
        var isCommitted = false;
        try
        {
            _rows.Remember(context);
            _logger ??= context.GetService<ILoggerFactory>().CreateLogger(VersioningLog.Category);
            var isQueued = await _rows.EnterAsync(cancellationToken).ConfigureAwait(false);
            TResult result;
            IReadOnlyList<Func<CancellationToken, Task>> callbacks;
            try
            {
                (result, callbacks) = await RunUnitAsync(context, cancellationToken).ConfigureAwait(false);
                isCommitted = true;
            }
            finally
            {
                if (isQueued)
                {
                    _rows.Leave();
                }
            }

            await RetryCommit.RunCallbacksAsync(callbacks, _logger, cancellationToken).ConfigureAwait(false);
            return result;
        }
        finally
        {
            await contexts.CloseAsync(context, isCommitted).ConfigureAwait(false);
        }
    }

    private async Task<(TResult Result, IReadOnlyList<Func<CancellationToken, Task>> Callbacks)> RunUnitAsync(TContext context, CancellationToken cancellationToken)
    {
        var state = context.GetService<RetryUnitState>();
        state.Begin(_rows.LocksFirst ? ConflictRetryTransaction.PerUnit : options.Transaction);
        var savepoints = context.Database.AutoSavepointsEnabled;
        try
        {
            var result = await new UnitExecutionStrategy(context)
                .ExecuteAsync((Unit: this, State: state), static (c, s, token) => s.Unit.WorkAsync((TContext)c, s.State, token), verifySucceeded: null, cancellationToken)
                .ConfigureAwait(false);
            _rows.Committed(state, isFirst: _attempt == 1);
            return (result, [.. state.AfterCommit]);
        }
        catch (VersionConflictException conflict)
        {
            _rows.Refused(state, conflict);
            throw;
        }
        finally
        {
            context.Database.AutoSavepointsEnabled = savepoints;
            state.ResetState();
        }
    }

    private async Task<TResult> WorkAsync(TContext context, RetryUnitState state, CancellationToken cancellationToken)
    {
        if (options.Transaction == ConflictRetryTransaction.PerSave && !_rows.LocksFirst)
        {
            return await WorkWithoutTransactionAsync(context, state, cancellationToken).ConfigureAwait(false);
        }

        var transaction = await context.Database.BeginTransactionAsync(options.IsolationLevel, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            // A savepoint for each save would cost two round trips. A save that fails dooms the whole attempt instead.
            context.Database.AutoSavepointsEnabled = false;
            if (_rows.LocksFirst)
            {
                VersioningLog.RowsLockedBeforeRetry(_logger!, _attempt, _rows.Count);
                state.Ticket = await _rows.LockAsync(context, cancellationToken).ConfigureAwait(false);
            }

            try
            {
                var result = await work(context, cancellationToken).ConfigureAwait(false);
                ThrowIfDoomed(state);
                ThrowIfEnded(context, transaction, failure: null);
                state.IsCommitting = true;
                await RetryCommit.CommitAsync(context, transaction, state.Ticket, _logger!).ConfigureAwait(false);
                return result;
            }
            catch (Exception exception) when (!state.IsCommitting && exception is not RetryNotPossibleException)
            {
                ThrowIfEnded(context, transaction, exception);
                ExceptionDispatchInfo.Throw(state.CauseOf(exception));
                throw;
            }
            catch (PostgresException exception) when (state.CauseOf(exception) != exception)
            {
                ExceptionDispatchInfo.Throw(state.CauseOf(exception));
                throw;
            }
        }
    }

    /// <summary>Each statement commits by itself, so a lost connection says nothing about what was written.</summary>
    private async Task<TResult> WorkWithoutTransactionAsync(TContext context, RetryUnitState state, CancellationToken cancellationToken)
    {
        try
        {
            var result = await work(context, cancellationToken).ConfigureAwait(false);
            ThrowIfDoomed(state);
            return result;
        }
        catch (Exception exception) when (state.MayHaveWritten && RetryCommit.SaysNothingAboutWrites(exception))
        {
            throw new CommitOutcomeUnknownException(
                "The connection was lost in a unit with Transaction = PerSave, whose save commits by itself: it may have happened. "
                + "Look before running it again; ConflictRetryTransaction.PerUnit settles this by itself.",
                transactionId: null,
                exception);
        }
    }

    private static void ThrowIfDoomed(RetryUnitState state)
    {
        if (state.FailedSave is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static void ThrowIfEnded(TContext context, IDbContextTransaction transaction, Exception? failure)
    {
        if (context.Database.CurrentTransaction != transaction)
        {
            throw new RetryNotPossibleException(
                "The unit committed or rolled back the transaction in which RetryOnConflictAsync runs it, so what it has done can be neither completed nor undone as a whole. "
                + "Leave the transaction to RetryOnConflictAsync; for a partial rollback use a savepoint.",
                failure);
        }
    }
}
