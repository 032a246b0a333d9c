using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Inbox;

/// <summary>The inbox of one context, and what its next save is to accept. Scoped and pool-safe, like all per-context state.</summary>
internal sealed class ContextInbox(ICurrentDbContext currentContext, EnvelopeState envelope, IRelationalTypeMappingSource mappings) : IInbox, IEnvelopeContributor, IResettableService
{
    private readonly List<(string Consumer, InboxKey Key)> _pending = [];

    public bool HasPendingWork => _pending.Count > 0;

    private DbContext Context => currentContext.Context;

    public static ContextInbox Of(DbContext context)
        => ((IInfrastructure<IServiceProvider>)context).Instance.GetService(typeof(ContextInbox)) as ContextInbox
            ?? throw new InvalidOperationException($"'{context.GetType().Name}' has no UseEfConcurrency(), which the inbox needs. Call it on the context's options, beside UseNpgsql().");

    public Task<bool> TryAcceptAsync(string consumer, string messageId, CancellationToken cancellationToken = default)
        => TryAcceptAsync(consumer, InboxKey.Of(messageId), cancellationToken);

    public Task<bool> TryAcceptAsync(string consumer, Guid messageId, CancellationToken cancellationToken = default)
        => TryAcceptAsync(consumer, InboxKey.Of(messageId), cancellationToken);

    public Task<bool> TrySaveAsync(string consumer, string messageId, CancellationToken cancellationToken = default)
        => TrySaveAsync(consumer, InboxKey.Of(messageId), cancellationToken);

    public Task<bool> TrySaveAsync(string consumer, Guid messageId, CancellationToken cancellationToken = default)
        => TrySaveAsync(consumer, InboxKey.Of(messageId), cancellationToken);

    public void AcceptWithNextSave(string consumer, string messageId) => AcceptWithNextSave(consumer, InboxKey.Of(messageId));

    public void AcceptWithNextSave(string consumer, Guid messageId) => AcceptWithNextSave(consumer, InboxKey.Of(messageId));

    /// <summary>What is asked for again, after a save that failed, is one and the same.</summary>
    public void AcceptWithNextSave(string consumer, InboxKey key)
    {
        InboxKey.CheckConsumer(consumer);
        _ = InboxTable.Of(Context);
        if (!_pending.Contains((consumer, key)))
        {
            _pending.Add((consumer, key));
        }
    }

    /// <summary>Accepts messages of one consumer in one round trip; tells which are new. The same id twice is new once.</summary>
    public async Task<bool[]> TryAcceptAsync(string consumer, IReadOnlyList<InboxKey> keys, CancellationToken cancellationToken)
    {
        InboxKey.CheckConsumer(consumer);
        var reply = await InboxAcceptance.SendAsync(Context, consumer, keys, cancellationToken).ConfigureAwait(false);
        return reply.IsNew(consumer, keys);
    }

    public void Contribute(EnvelopeSave save)
    {
        if (_pending.Count == 0)
        {
            return;
        }

        var table = InboxTable.Of(Context);
        var number = mappings.FindMapping(typeof(int))!;
        for (var i = 0; i < _pending.Count; i++)
        {
            var (consumer, key) = _pending[i];
            save.AddGuard(new EnvelopeStatement(
                table.AcceptWithSave,
                [
                    table.Value(nameof(InboxRecord.Slot), key.Slot(table.WindowDays)),
                    table.Value(nameof(InboxRecord.Consumer), consumer),
                    table.Value(nameof(InboxRecord.MessageId), key.Id),
                    table.Value(nameof(InboxRecord.ForeignId), key.ForeignId),
                    table.Value(nameof(InboxRecord.AcceptedAt), key.SentAt),
                    new SqlParameterValue(i, number),
                ]));
        }
    }

    /// <summary>Changes that will be sent again, because EF was told not to accept them yet, must not be sent without the message.</summary>
    public void Saved()
    {
        if (envelope.AcceptsChanges)
        {
            _pending.Clear();
        }
    }

    public void ChangesAccepted() => _pending.Clear();

    /// <summary>What is pending stays: changes that were refused with it must not be saved without it.</summary>
    public ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException exception, bool async, CancellationToken cancellationToken)
        => ValueTask.FromResult(_pending.Count == 0 ? null : InboxRefusal.Explain(_pending, InboxTable.Of(Context), exception));

    public void ResetState() => _pending.Clear();

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private async Task<bool> TryAcceptAsync(string consumer, InboxKey key, CancellationToken cancellationToken)
    {
        var isNew = (await TryAcceptAsync(consumer, [key], cancellationToken).ConfigureAwait(false))[0];
        return isNew || Known(consumer);
    }

    private async Task<bool> TrySaveAsync(string consumer, InboxKey key, CancellationToken cancellationToken)
    {
        AcceptWithNextSave(consumer, key);
        try
        {
            await Context.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (InboxDuplicateException duplicate) when (duplicate.Consumer == consumer && duplicate.MessageId == key.Text)
        {
            return Known(consumer);
        }
    }

    /// <returns>False: not accepted now.</returns>
    private static bool Known(string consumer)
    {
        InboxMeter.Duplicate(consumer);
        return false;
    }
}
