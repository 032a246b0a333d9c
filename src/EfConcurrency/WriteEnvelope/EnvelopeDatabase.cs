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
    {
        var save = Open(entries);
        if (MayBeServerJudged(save))
        {
            save.IsServerJudged = guard.IsAvailable(Connection);
        }

        try
        {
            return Run(save);
        }
        catch (Exception exception) when (IsJudgedAgain(save, exception))
        {
            return Run(OpenAgain(entries), isJudgedAgain: true);
        }
    }

    public override async Task<int> SaveChangesAsync(IList<IUpdateEntry> entries, CancellationToken cancellationToken = default)
    {
        var save = Open(entries);
        if (MayBeServerJudged(save))
        {
            save.IsServerJudged = await guard.IsAvailableAsync(Connection, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return await RunAsync(save, isJudgedAgain: false, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsJudgedAgain(save, exception))
        {
            return await RunAsync(OpenAgain(entries), isJudgedAgain: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends what contributors have to say although EF found no change to save.</summary>
    public int SavePendingWork() => HasPendingWork() ? SaveChanges([]) : 0;

    /// <summary>Sends what contributors have to say although EF found no change to save.</summary>
    public Task<int> SavePendingWorkAsync(CancellationToken cancellationToken)
        => HasPendingWork() ? SaveChangesAsync([], cancellationToken) : Task.FromResult(0);

    private bool HasPendingWork() => Array.Exists(_contributors, c => c.HasPendingWork);

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
            && save.StatementCount + save.Entries.Count <= guard.MaxStatements;

    /// <summary>
    /// <see cref="AutoTransactionBehavior.Never"/> leaves EF's own rows half applied when the client refuses one. What the library
    /// adds may not be left behind, so it opens the transaction that EF then does not.
    /// </summary>
    private bool NeedsOwnTransaction(EnvelopeSave save, bool isJudgedAgain)
        => Context.Database.AutoTransactionBehavior == AutoTransactionBehavior.Never
            && !save.IsServerJudged
            && (isJudgedAgain || save.StatementCount > 0)
            && !IsInTransaction;

    private int Run(EnvelopeSave save, bool isJudgedAgain = false)
    {
        state.Current = save;
        try
        {
            var written = NeedsOwnTransaction(save, isJudgedAgain) ? SendInTransaction(save) : Send(save);
            return Accept(save, written);
        }
        catch (Exception exception)
        {
            state.Current = null;
            if (IsJudgedAgain(save, exception))
            {
                throw;
            }

            var explained = ExplainAsync(save, exception, async: false, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            Fail(explained ?? exception);
            if (explained is not null)
            {
                throw explained;
            }

            throw;
        }
        finally
        {
            Close(save);
        }
    }

    private async Task<int> RunAsync(EnvelopeSave save, bool isJudgedAgain, CancellationToken cancellationToken)
    {
        state.Current = save;
        try
        {
            var written = NeedsOwnTransaction(save, isJudgedAgain)
                ? await SendInTransactionAsync(save, cancellationToken).ConfigureAwait(false)
                : await SendAsync(save, cancellationToken).ConfigureAwait(false);
            return Accept(save, written);
        }
        catch (Exception exception)
        {
            state.Current = null;
            if (IsJudgedAgain(save, exception))
            {
                throw;
            }

            var explained = await ExplainAsync(save, exception, async: true, cancellationToken).ConfigureAwait(false);
            Fail(explained ?? exception);
            if (explained is not null)
            {
                throw explained;
            }

            throw;
        }
        finally
        {
            Close(save);
        }
    }

    /// <summary>A save that the server refused is judged again, by EF, before anything is said about it.</summary>
    private bool IsJudgedAgain(EnvelopeSave save, Exception exception)
        => exception is DbUpdateException && save.IsServerJudged && guard.CanEfJudgeInstead(Connection, exception);

    private async ValueTask<Exception?> ExplainAsync(EnvelopeSave save, Exception exception, bool async, CancellationToken cancellationToken)
    {
        if (exception is not DbUpdateException refusal)
        {
            return null;
        }

        foreach (var contributor in _contributors)
        {
            if (await contributor.ExplainAsync(save, refusal, async, cancellationToken).ConfigureAwait(false) is { } explained)
            {
                return explained;
            }
        }

        return null;
    }

    private void Fail(Exception exception)
    {
        foreach (var contributor in _contributors)
        {
            contributor.Failed(exception);
        }
    }

    private void Close(EnvelopeSave save)
    {
        state.Current = null;
        save.Undo();
    }

    private int SendInTransaction(EnvelopeSave save)
    {
        using var transaction = Connection.BeginTransaction();
        var written = Send(save);
        transaction.Commit();
        return written;
    }

    private async Task<int> SendInTransactionAsync(EnvelopeSave save, CancellationToken cancellationToken)
    {
        var transaction = await Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var written = await SendAsync(save, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return written;
        }
    }

    private int Send(EnvelopeSave save)
    {
        var written = save.Entries.Count > 0 ? base.SaveChanges(save.Entries) : 0;
        return save.IsSent ? written : written + RelationalDependencies.BatchExecutor.Execute(StatementsOnly(save), Connection);
    }

    private async Task<int> SendAsync(EnvelopeSave save, CancellationToken cancellationToken)
    {
        var written = save.Entries.Count > 0 ? await base.SaveChangesAsync(save.Entries, cancellationToken).ConfigureAwait(false) : 0;
        return save.IsSent
            ? written
            : written + await RelationalDependencies.BatchExecutor.ExecuteAsync(StatementsOnly(save), Connection, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>EF had nothing to write (an entity marked as modified without a modified column): our statements go alone.</summary>
    private ModificationCommandBatch[] StatementsOnly(EnvelopeSave save)
    {
        if (save.HasUserBatch)
        {
            throw new InvalidOperationException(
                "EF ended the save without a last batch, so that statements of the write envelope were not sent with it. Please report this model.");
        }

        var batch = batches.Create();
        batch.Complete(moreBatchesExpected: false);
        return [batch];
    }

    private int Accept(EnvelopeSave save, int written)
    {
        save.Keep();
        foreach (var contributor in _contributors)
        {
            contributor.Saved();
        }

        return written - save.StatementCount;
    }
}
