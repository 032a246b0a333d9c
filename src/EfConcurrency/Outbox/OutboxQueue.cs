using System.Transactions;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Outbox;

/// <summary>
/// The messages that wait for a save on this context, and their part in it. They are kept and forgotten as EF's tracked changes are.
/// Scoped and pool-safe, like all per-context state.
/// </summary>
internal sealed class OutboxQueue(
    ICurrentDbContext currentContext, EnvelopeState envelope, OutboxMessageFactory factory, OutboxStatement statement, OutboxTableCheck tableCheck, ILoggerFactory loggers)
    : IOutbox, IEnvelopeContributor, IResettableService
{
    private readonly List<OutboxMessage> _messages = [];
    private ILogger? _logger;

    /// <summary>How many are in the attempt under way.</summary>
    private int _contributed;

    /// <summary>How many are saved already, but not accepted: <c>SaveChanges(acceptAllChangesOnSuccess: false)</c>. The next save sends them again.</summary>
    private int _unaccepted;

    private long _unacceptedCall;

    private bool _isCommitAwaited;

    public int UnsavedCount => _messages.Count;

    public bool HasPendingWork => _messages.Count > (_unacceptedCall == envelope.Call ? _unaccepted : 0);

    private DbContext Context => currentContext.Context;

    private ILogger Logger => _logger ??= loggers.CreateLogger(OutboxEnqueueLog.Category);

    public Guid Enqueue<TMessage>(TMessage message, string? key = null, IReadOnlyDictionary<string, string>? headers = null, TimeSpan delay = default)
        where TMessage : notnull
    {
        var created = Create(message, key, headers, delay, OutboxTable.Of(Context).Lanes);
        _messages.Add(created);
        return created.Id;
    }

    public IReadOnlyList<Guid> EnqueueAll<TMessage>(
        IEnumerable<TMessage> messages, Func<TMessage, string?>? key = null, IReadOnlyDictionary<string, string>? headers = null, TimeSpan delay = default)
        where TMessage : notnull
    {
        ArgumentNullException.ThrowIfNull(messages);

        var lanes = OutboxTable.Of(Context).Lanes;
        var created = messages.Select(m => Create(m, key?.Invoke(m), headers, delay, lanes)).ToList();
        _messages.AddRange(created);
        return created.ConvertAll(m => m.Id);
    }

    public void Contribute(EnvelopeSave save)
    {
        _contributed = _messages.Count;
        if (_contributed > 0)
        {
            save.AddMessage(statement.Of(_messages, OutboxTable.Of(Context).Enqueue));
        }
    }

    public void Saved()
    {
        if (_contributed == 0)
        {
            return;
        }

        OutboxEnqueueMeter.Saved(_messages, _contributed);
        OutboxEnqueueLog.Saved(Logger, _contributed, OutboxTable.Of(Context).Log.Name);
        if (envelope.AcceptsChanges)
        {
            Forget(_contributed);
        }
        else
        {
            (_unaccepted, _unacceptedCall) = (_contributed, envelope.Call);
        }

        _contributed = 0;
        WakeAfterCommit();
    }

    public void ChangesAccepted() => Forget(_unaccepted);

    public void ChangesForgotten()
    {
        if (_messages.Count > _unaccepted)
        {
            OutboxEnqueueLog.Forgotten(Logger, _messages.Count - _unaccepted);
        }

        Forget(_messages.Count);
    }

    public void TransactionCommitted()
    {
        if (_isCommitAwaited)
        {
            _isCommitAwaited = false;
            OutboxSignal.Raise(Context);
        }
    }

    public void TransactionRolledBack() => _isCommitAwaited = false;

    public ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
        => _contributed == 0 ? ValueTask.FromResult<Exception?>(null) : tableCheck.ExplainAsync(Context, exception, async, cancellationToken);

    public void ResetState()
    {
        ChangesForgotten();
        _isCommitAwaited = false;
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private OutboxMessage Create(object message, string? key, IReadOnlyDictionary<string, string>? headers, TimeSpan delay, int lanes)
    {
        ArgumentNullException.ThrowIfNull(message);
        try
        {
            return factory.Create(message, key, headers, delay, lanes);
        }
        catch (OutboxMessageRefusedException exception)
        {
            OutboxEnqueueMeter.Refused(exception.Reason);
            throw;
        }
    }

    private void Forget(int count)
    {
        _messages.RemoveRange(0, count);
        _unaccepted = Math.Max(0, _unaccepted - count);
    }

    /// <summary>A dispatcher that is woken before the commit would find nothing.</summary>
    private void WakeAfterCommit()
    {
        if (Context.Database.CurrentTransaction is not null)
        {
            _isCommitAwaited = true;
        }
        else if ((Context.Database.GetEnlistedTransaction() ?? Transaction.Current) is { } transaction)
        {
            if (OutboxSignal.Raiser(Context) is { } raise)
            {
                transaction.TransactionCompleted += (_, e) =>
                {
                    if (e.Transaction?.TransactionInformation.Status == TransactionStatus.Committed)
                    {
                        raise();
                    }
                };
            }
        }
        else
        {
            OutboxSignal.Raise(Context);
        }
    }
}
