using EfConcurrency.Postgres;
using EfConcurrency.Resilience;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Update;
using Npgsql;

namespace EfConcurrency.Versioning;

/// <summary>What the attempt under way on this context has done so far. Scoped and pool-safe, like all per-context state.</summary>
internal sealed class RetryUnitState : IEnvelopeContributor, IResettableService
{
    private readonly List<Func<CancellationToken, Task>> _afterCommit = [];
    private readonly List<(IUpdateEntry Entry, int Save)> _written = [];
    private ConflictRetryTransaction _transaction;
    private int _saves;
    private int _writes;
    private Exception? _firstError;

    /// <summary>Whether a unit runs on this context.</summary>
    public bool IsActive { get; private set; }

    /// <summary>The save that failed. It dooms the attempt, also when the unit's code caught the exception.</summary>
    public Exception? FailedSave { get; private set; }

    /// <summary>With this, a lost reply to the commit can be settled.</summary>
    public CommitTicket? Ticket { get; set; }

    /// <summary>Whether a write has been sent, so that a lost connection leaves open what became of it.</summary>
    public bool MayHaveWritten { get; private set; }

    /// <summary>Whether the COMMIT on its way is the library's.</summary>
    public bool IsCommitting { get; set; }

    public IReadOnlyList<Func<CancellationToken, Task>> AfterCommit => _afterCommit;

    /// <summary>How many rows with a version the attempt has changed or deleted, or tried to.</summary>
    public int WrittenCount => _written.Count;

    /// <summary>Those rows.</summary>
    public IEnumerable<RowKey> Written => _written.Select(w => RowKey.Of(w.Entry, w.Save));

    /// <summary>How many saves have succeeded.</summary>
    public int Saves => _saves;

    public static RetryNotPossibleException Nested()
        => new("RetryOnConflictAsync was called inside a unit that runs on the same context. The outer call already repeats all of it: call the inner work directly.");

    public static RetryNotPossibleException InsideTransaction()
        => new(
            "RetryOnConflictAsync was called inside an open transaction. Its earlier reads and writes can't be run again, so a retry would rest on what is no longer true. "
            + "Move the transaction's whole work into the unit: RetryOnConflictAsync opens the transaction itself.");

    public void Begin(ConflictRetryTransaction transaction)
    {
        if (IsActive)
        {
            throw Nested();
        }

        ResetState();
        IsActive = true;
        _transaction = transaction;
    }

    public void AddAfterCommit(Func<CancellationToken, Task> callback) => _afterCommit.Add(callback);

    public void Contribute(EnvelopeSave save)
    {
        if (!IsActive)
        {
            return;
        }

        if (FailedSave is not null)
        {
            throw new RetryNotPossibleException(
                "A save of this unit has failed, so the attempt can no longer be committed. Let the exception leave the unit: RetryOnConflictAsync decides whether it runs again.");
        }

        RefuseSecondWrite();
        _written.AddRange(save.Entries.Where(e => e.EntityState is EntityState.Modified or EntityState.Deleted && VersionColumn.Find(e.EntityType) is not null).Select(e => (e, _saves)));

        if (_transaction == ConflictRetryTransaction.PerUnit && Ticket is null)
        {
            save.AddGuard(new EnvelopeStatement(ResilienceSql.Ticket, [], onRow: row => Ticket = new(row.GetString(0), row.GetString(1))));
        }
    }

    public void Saved() => _saves++;

    public void SaveIsSent() => MayHaveWritten = IsActive;

    /// <summary>EF sends a write that is not a save: <c>ExecuteUpdate</c>, <c>ExecuteDelete</c>, <c>ExecuteSql</c>.</summary>
    public void WriteIsSent()
    {
        if (IsActive)
        {
            RefuseSecondWrite();
            _writes++;
            MayHaveWritten = true;
        }
    }

    public void StatementFailed(Exception exception)
    {
        if (IsActive)
        {
            _firstError ??= exception;
        }
    }

    /// <summary>What <paramref name="exception"/> comes from: the server says 25P02 to all that follows an error, also when that was swallowed.</summary>
    public Exception CauseOf(Exception exception)
        => !IsConsequence(exception) ? exception
            : FailedSave is not null && !IsConsequence(FailedSave) ? FailedSave
            : _firstError ?? exception;

    public void Failed(Exception exception)
    {
        if (IsActive)
        {
            FailedSave ??= exception;
        }
    }

    public void ResetState()
    {
        IsActive = false;
        FailedSave = null;
        Ticket = null;
        MayHaveWritten = false;
        IsCommitting = false;
        _firstError = null;
        _saves = 0;
        _writes = 0;
        _written.Clear();
        _afterCommit.Clear();
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private static bool IsConsequence(Exception exception)
        => SqlStates.FindPostgresException(exception)?.SqlState == PostgresErrorCodes.InFailedSqlTransaction;

    private void RefuseSecondWrite()
    {
        if (_transaction == ConflictRetryTransaction.PerSave && _saves + _writes > 0)
        {
            throw new RetryNotPossibleException(
                "With Transaction = PerSave a unit writes once, by SaveChanges, ExecuteUpdate, ExecuteDelete or ExecuteSql: the first write is committed, and a retry would repeat it. "
                + "Write once, or use ConflictRetryTransaction.PerUnit.");
        }
    }
}
