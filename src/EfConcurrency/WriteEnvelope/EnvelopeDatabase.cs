#pragma warning disable EF1001 // A save that is judged again must first discard generated values, as EF does before a retry.
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// EF's way from found changes to SQL. Here the contributors get their say, and here is decided who judges: the server, when it
/// can refuse the whole list, else EF in a transaction.
/// </summary>
/// <remarks>
/// One body serves <c>SaveChanges</c> and <c>SaveChangesAsync</c>, so that they can't drift apart: with <c>async: false</c> every call
/// in it is a synchronous one, and the task is complete on return.
/// </remarks>
internal sealed class EnvelopeDatabase(
    DatabaseDependencies dependencies,
    RelationalDatabaseDependencies relationalDependencies,
    EnvelopeState state,
    IEnumerable<IEnvelopeContributor> contributors,
    GuardFunctionProbe guard,
    IModificationCommandBatchFactory batches,
    ICurrentDbContext currentContext)
    : RelationalDatabase(dependencies, relationalDependencies)
{
    private readonly IEnvelopeContributor[] _contributors = [.. contributors];
    private IUpdateAdapter? _adapter;

    private IRelationalConnection Connection => RelationalDependencies.Connection;

    private DbContext Context => currentContext.Context;

    private bool IsInTransaction
        => Connection.CurrentTransaction is not null
            || Connection is ITransactionEnlistmentManager { EnlistedTransaction: not null } or ITransactionEnlistmentManager { CurrentAmbientTransaction: not null };

    public override int SaveChanges(IList<IUpdateEntry> entries)
        => SaveAsync(entries, async: false, CancellationToken.None).GetAwaiter().GetResult();

    public override Task<int> SaveChangesAsync(IList<IUpdateEntry> entries, CancellationToken cancellationToken = default)
        => SaveAsync(entries, async: true, cancellationToken);

    /// <summary>Sends what contributors have to say although EF found no change to save.</summary>
    public int SavePendingWork() => SaveAsync([], async: false, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc cref="SavePendingWork"/>
    public Task<int> SavePendingWorkAsync(CancellationToken cancellationToken) => SaveAsync([], async: true, cancellationToken);

    private async Task<int> SaveAsync(IList<IUpdateEntry> entries, bool async, CancellationToken cancellationToken)
    {
        var save = Open(entries);
        if (MayBeServerJudged(save))
        {
            save.IsServerJudged = await guard.IsAvailableAsync(Connection, async, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return await RunAsync(save, isJudgedAgain: false, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsJudgedAgain(save, exception))
        {
            return await RunAsync(OpenAgain(entries), isJudgedAgain: true, async, cancellationToken).ConfigureAwait(false);
        }
    }

    private EnvelopeSave Open(IList<IUpdateEntry> entries)
    {
        var save = new EnvelopeSave(Context, entries, _adapter ??= Dependencies.UpdateAdapterFactory.Create());
        foreach (var contributor in _contributors)
        {
            contributor.Contribute(save);
        }

        return save;
    }

    /// <summary>The statements before the refused one have returned values (generated keys) that were rolled back with them.</summary>
    private EnvelopeSave OpenAgain(IList<IUpdateEntry> entries)
    {
        foreach (var entry in entries)
        {
            ((InternalEntityEntry)entry).DiscardStoreGeneratedValues();
        }

        return Open(entries);
    }

    /// <summary>
    /// In a caller's transaction the client judges: an error raised by the server would abort that transaction,
    /// where EF only rolls back to its savepoint.
    /// </summary>
    private bool MayBeServerJudged(EnvelopeSave save)
        => guard.IsWanted
            && !IsInTransaction
            && Context.Database.AutoTransactionBehavior != AutoTransactionBehavior.Always
            && save.HasSeveralStatements()
            && save.StatementCount - save.LockCount + save.Entries.Count <= guard.MaxStatements;

    /// <summary>A save that the server refused is judged again, by EF, before anything is said about it.</summary>
    private bool IsJudgedAgain(EnvelopeSave save, Exception exception)
        => exception is DbUpdateException && save.IsServerJudged && guard.CanEfJudgeInstead(Connection, exception);

    /// <summary>
    /// <see cref="AutoTransactionBehavior.Never"/> leaves EF's own rows half applied when the client refuses one. What the library
    /// adds may not be left behind, so it opens the transaction that EF then does not.
    /// </summary>
    private bool NeedsOwnTransaction(EnvelopeSave save, bool isJudgedAgain)
        => Context.Database.AutoTransactionBehavior == AutoTransactionBehavior.Never
            && !save.IsServerJudged
            && (isJudgedAgain || save.StatementCount > save.LockCount || (save.LockCount > 0 && save.HasSeveralStatements()))
            && !IsInTransaction;

    private async Task<int> RunAsync(EnvelopeSave save, bool isJudgedAgain, bool async, CancellationToken cancellationToken)
    {
        state.Current = save;
        try
        {
            var written = NeedsOwnTransaction(save, isJudgedAgain)
                ? await SendInTransactionAsync(save, async, cancellationToken).ConfigureAwait(false)
                : await SendAsync(save, async, cancellationToken).ConfigureAwait(false);
            save.Keep();
            Array.ForEach(_contributors, c => c.Saved());
            return written - save.StatementCount;
        }
        catch (Exception exception) when (!IsJudgedAgain(save, exception))
        {
            state.Current = null;
            var explained = exception is DbUpdateException refusal ? await ExplainAsync(save, refusal, async, cancellationToken).ConfigureAwait(false) : null;
            Array.ForEach(_contributors, c => c.Failed(explained ?? exception));
            if (explained is not null)
            {
                throw explained;
            }

            throw;
        }
        finally
        {
            state.Current = null;
            save.Undo();
        }
    }

    private async ValueTask<Exception?> ExplainAsync(EnvelopeSave save, DbUpdateException refusal, bool async, CancellationToken cancellationToken)
    {
        foreach (var contributor in _contributors)
        {
            if (await contributor.ExplainAsync(save, refusal, async, cancellationToken).ConfigureAwait(false) is { } explained)
            {
                return explained;
            }
        }

        return null;
    }

    private async Task<int> SendInTransactionAsync(EnvelopeSave save, bool async, CancellationToken cancellationToken)
    {
        var transaction = async ? await Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false) : Connection.BeginTransaction();
        await using (transaction.ConfigureAwait(false))
        {
            var written = await SendAsync(save, async, cancellationToken).ConfigureAwait(false);
            if (async)
            {
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                transaction.Commit();
            }

            return written;
        }
    }

    private async Task<int> SendAsync(EnvelopeSave save, bool async, CancellationToken cancellationToken)
    {
        var written = save.Entries.Count == 0 ? 0
            : async ? await base.SaveChangesAsync(save.Entries, cancellationToken).ConfigureAwait(false)
            : base.SaveChanges(save.Entries);
        if (save.IsSent)
        {
            return written;
        }

        var batch = StatementsOnly(save);
        return written + (async
            ? await RelationalDependencies.BatchExecutor.ExecuteAsync([batch], Connection, cancellationToken).ConfigureAwait(false)
            : RelationalDependencies.BatchExecutor.Execute([batch], Connection));
    }

    /// <summary>EF had nothing to write (an entity marked as modified without a modified column): our statements go alone.</summary>
    private ModificationCommandBatch StatementsOnly(EnvelopeSave save)
    {
        if (save.HasUserBatch)
        {
            throw new InvalidOperationException(
                "EF ended the save without a last batch, so that statements of the write envelope were not sent with it. Please report this model.");
        }

        var batch = batches.Create();
        batch.Complete(moreBatchesExpected: false);
        return batch;
    }
}
