using System.Runtime.ExceptionServices;
using EfConcurrency.Resilience;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfConcurrency.Idempotency;

/// <summary>
/// A claim that was committed before the work, and the steps under it. Whatever is written under it is written together with a statement that
/// finds the claim in the table, and keeps it there until the commit.
/// </summary>
internal sealed class PhasedClaim
{
    private readonly IdempotencyCall _call;
    private readonly StepResults _results;
    private readonly string? _begunBefore;

    public PhasedClaim(IdempotencyCall call, IdempotencyClaim claim)
    {
        _call = call;
        Claim = claim;
        _results = new(claim.RecoveryData, call.Key, call.Options);
        _begunBefore = claim.RecoveryPoint is { } point && !_results.Contains(point) ? point : null;
    }

    public IdempotencyClaim Claim { get; }

    public IdempotencyKey Key => _call.Key;

    private DbContext Context => _call.Context;

    public bool IsDone(string step) => _results.Contains(step);

    /// <summary>Rides at the head of a save outside of a phase.</summary>
    public EnvelopeStatement Guard()
    {
        var table = _call.Table;
        return new(
            table.Sql.HoldInSave,
            [
                table.Value(nameof(IdempotencyRecord.Scope), Key.Scope),
                table.Value(nameof(IdempotencyRecord.Key), Key.Key),
                table.Value(nameof(IdempotencyRecord.Fence), Claim.Fence),
                table.Microseconds(_call.Options.Lease),
            ],
            Lost);
    }

    /// <summary>A step in this database.</summary>
    public async Task<T> RunAsync<T>(string step, Func<CancellationToken, Task<T>> phase, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(step);
        if (_results.Contains(step))
        {
            return _results.Read<T>(step);
        }

        if (Context.Database.CurrentTransaction is not null)
        {
            throw new IdempotencyNotPossibleException($"Step '{step}' was begun inside an open transaction. A step is one transaction: end the other one first, and don't nest steps.");
        }

        var attempts = 0;
        var strategy = Context.Database.CreateExecutionStrategy();
        return await strategy.ExecuteAsync(
            async token =>
            {
                if (attempts++ > 0)
                {
                    Context.ChangeTracker.Clear();
                }

                return await RunOnceAsync(step, phase, token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A step elsewhere.</summary>
    public async Task<T> CallAsync<T>(string step, Func<string, CancellationToken, Task<T>> call, IdempotencyAmbiguity? onAmbiguous, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(step);
        if (_results.Contains(step))
        {
            return _results.Read<T>(step);
        }

        if (Context.Database.CurrentTransaction is not null)
        {
            throw new IdempotencyNotPossibleException($"Step '{step}' calls another system inside an open transaction, which would be held open as long as that takes. Call it between two phases.");
        }

        var isFinal = (onAmbiguous ?? _call.Options.OnAmbiguous) == IdempotencyAmbiguity.NeedsResolution;
        if (isFinal && _begunBefore == step)
        {
            throw await AmbiguousAsync(step, cause: null).ConfigureAwait(false);
        }

        await SendFencedAsync(b => b.AddBegin(Claim.Fence, step), cancellationToken).ConfigureAwait(false);
        T result;
        try
        {
            result = await call(Key.ForStep(step), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (isFinal)
        {
            throw await AmbiguousAsync(step, exception).ConfigureAwait(false);
        }

        var written = StepResults.Write(result, Key, _call.Options);
        await PhasedStore.SendAsync(_call, Claim.Fence, b => b.AddRecord(Claim.Fence, step, written)).ConfigureAwait(false);
        _results.Add(step, written);
        return result;
    }

    private IdempotencyClaimLostException Lost() => new(Key, Claim.Fence);

    private async Task<T> RunOnceAsync<T>(string step, Func<CancellationToken, Task<T>> phase, CancellationToken cancellationToken)
    {
        var savepoints = Context.Database.AutoSavepointsEnabled;
        var transaction = await Context.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var ticket = await SendFencedAsync(b => b.AddBegin(Claim.Fence, step), cancellationToken).ConfigureAwait(false);
            _call.State.EnterPhase();
            Context.Database.AutoSavepointsEnabled = false;
            try
            {
                var result = await phase(cancellationToken).ConfigureAwait(false);
                ThrowIfDoomed(step, transaction);
                var written = StepResults.Write(result, Key, _call.Options);
                await IdempotencyCommit.CommitAsync(_call, ticket, transaction, () => SendEndAsync(step, written), static () => Task.FromResult(CommitStatus.Unknown)).ConfigureAwait(false);
                _results.Add(step, written);
                return result;
            }
            catch
            {
                Context.ChangeTracker.Clear();
                throw;
            }
            finally
            {
                Context.Database.AutoSavepointsEnabled = savepoints;
                _call.State.LeavePhase();
            }
        }
    }

    private void ThrowIfDoomed(string step, IDbContextTransaction transaction)
    {
        if (_call.State.FailedSave is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (Context.Database.CurrentTransaction != transaction)
        {
            throw new IdempotencyNotPossibleException($"Step '{step}' committed or rolled back the transaction that it runs in, so that its work and its mark are no longer tied together. Leave the transaction alone.");
        }
    }

    private async Task SendEndAsync(string step, string written)
    {
        var batch = new IdempotencyBatch(_call, _call.Connection);
        await using (batch.ConfigureAwait(false))
        {
            batch.AddRecord(Claim.Fence, step, written);
            batch.Add(IdempotencySql.Commit);
            await batch.SendToTheEndAsync(Claim.Fence).ConfigureAwait(false);
        }
    }

    /// <summary>On the context's connection, in its transaction if there is one.</summary>
    private async Task<CommitTicket?> SendFencedAsync(Action<IdempotencyBatch> add, CancellationToken cancellationToken)
    {
        await Context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var batch = new IdempotencyBatch(_call, _call.Connection);
            await using (batch.ConfigureAwait(false))
            {
                batch.Add(IdempotencySql.Durable);
                add(batch);
                return (await batch.SendTakeAsync(before: 1, cancellationToken).ConfigureAwait(false) ?? throw Lost()).Ticket;
            }
        }
        finally
        {
            await Context.Database.CloseConnectionAsync().ConfigureAwait(false);
        }
    }

    private async Task<IdempotencyNeedsResolutionException> AmbiguousAsync(string step, Exception? cause)
    {
        await PhasedStore.SendAsync(_call, Claim.Fence, b => b.AddMarkAmbiguous(Claim.Fence, step)).ConfigureAwait(false);
        IdempotencyLog.NeedsResolution(_call.Logger, Key.Hash, step, cause);
        return new(Key, step, cause);
    }
}
