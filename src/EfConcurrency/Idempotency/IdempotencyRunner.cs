using System.Diagnostics;
using System.Transactions;
using EfConcurrency.Diagnostics;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Idempotency;

/// <summary>Runs a call to its end: chooses the way, waits where it may, and tells what became of it.</summary>
internal sealed class IdempotencyRunner(IdempotencyCall call)
{
    /// <summary>Between two looks at a key that another works on under a lease: short against a person's patience, long against a round trip.</summary>
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(1);

    private readonly long _started = call.Time.GetTimestamp();

    private TimeSpan Left => call.Options.OnInFlight.Budget - call.Time.GetElapsedTime(_started);

    public async Task<IdempotencyOutcome<IdempotentResponse>> RunAsync(CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Activities.StartActivity(SpanNames.Idempotency);
        activity?.SetTag(TagNames.IdempotencyMode, IdempotencyMeter.Name(call.Options.Mode));
        try
        {
            var attempt = await RunToEndAsync(cancellationToken).ConfigureAwait(false);
            Tell(activity, attempt.Kind);
            return attempt.Outcome!;
        }
        catch (Exception exception)
        {
            var kind = exception switch
            {
                IdempotencyInProgressException => "in_progress",
                IdempotencyKeyReusedException => "reused",
                IdempotencyNeedsResolutionException => "needs_resolution",
                IdempotencyClaimLostException => "lost",
                OperationCanceledException when cancellationToken.IsCancellationRequested => "cancelled",
                _ => "failed",
            };
            Tell(activity, kind, kind is "failed" or "lost" ? exception : null);
            throw;
        }
    }

    private async Task<IdempotencyAttempt> RunToEndAsync(CancellationToken cancellationToken)
    {
        var way = Way();
        if (call.Context.Database.CurrentTransaction is null
            && (call.Options.ExpectReplay || IdempotencyMemory.Contains(call))
            && await LookAsync(cancellationToken).ConfigureAwait(false) is { } known)
        {
            return known;
        }

        var pause = FirstPoll;
        while (true)
        {
            var attempt = await way.AttemptAsync(Left, cancellationToken).ConfigureAwait(false);
            if (attempt.Outcome is not null)
            {
                if (attempt.IsStored)
                {
                    IdempotencyMemory.Add(call);
                }

                return attempt;
            }

            if (attempt == IdempotencyAttempt.Again)
            {
                continue;
            }

            if (Left <= TimeSpan.Zero)
            {
                throw new IdempotencyInProgressException(call.Key, attempt.RetryAfter, attempt.Cause);
            }

            // No connection is held meanwhile.
            await Task.Delay(TimeSpan.FromTicks(Math.Min(pause.Ticks, Left.Ticks)), call.Time, cancellationToken).ConfigureAwait(false);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPoll.Ticks));
        }
    }

    private IIdempotencyWay Way()
    {
        if (call.Context.Database.GetEnlistedTransaction() is not null || Transaction.Current is not null)
        {
            throw new IdempotencyNotPossibleException(
                "An operation can't be made idempotent in a TransactionScope: its isolation level and its end are not the context's. "
                + "Use context.Database.BeginTransactionAsync, or leave the transaction to ExecuteIdempotentlyAsync.");
        }

        return call.Options.Mode switch
        {
            IdempotencyMode.InsertLast => new InsertLast(call),
            IdempotencyMode.TwoPhase => new TwoPhase(call),
            _ => call.Context.Database.CurrentTransaction is { } transaction ? new JoinedTransaction(call, transaction) : new OwnTransaction(call),
        };
    }

    /// <summary>One plain read, outside of any transaction: all that a replay needs.</summary>
    private Task<IdempotencyAttempt?> LookAsync(CancellationToken cancellationToken)
        => call.Context.Database.CreateExecutionStrategy().ExecuteAsync(LookOnceAsync, cancellationToken);

    private async Task<IdempotencyAttempt?> LookOnceAsync(CancellationToken cancellationToken)
    {
        await call.Context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var batch = new IdempotencyBatch(call, call.Connection);
            await using (batch.ConfigureAwait(false))
            {
                batch.AddLook();
                return await batch.SendLookAsync(cancellationToken).ConfigureAwait(false) is { } row ? IdempotencyVerdicts.Settle(row, call) : null;
            }
        }
        finally
        {
            await call.Context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    private void Tell(Activity? activity, string kind, Exception? failure = null)
    {
        activity?.SetTag(TagNames.Outcome, kind);
        if (failure is not null)
        {
            activity.Fail(failure);
        }

        IdempotencyMeter.Request(call.Options.Mode, kind, failure);
        IdempotencyLog.Ended(call.Logger, call.Key.Hash, kind);
    }
}
