using System.Data.Common;
using EfConcurrency.Postgres;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>A lock that rides with one write, as the first statement of its list; the list's transaction ends it.</summary>
internal sealed class RidingLock(LockRequest request) : IDisposable
{
    private LockWait? _wait;

    /// <summary>Whether a transaction of the caller is open, which must go on after a wait in vain.</summary>
    public bool IsInTransaction => request.Context.Database.CurrentTransaction is not null;

    public NpgsqlConnection Connection => request.Connection;

    private AdvisoryKeySet Keys => request.Keys;

    /// <summary>Set when a strategy may run the write again: it, not we, has the first word on a deadlock.</summary>
    public bool MayRunAgain { get; init; }

    /// <summary>What the server said about the lock, if that is why the write failed.</summary>
    public Exception? Refusal { get; private set; }

    /// <summary>Whether the write under way has failed before it had the lock, as far as is known.</summary>
    public bool IsWaiting => _wait is not null;

    /// <summary>The server's limit for each wait in ms; it has none below 1. 0: no limit.</summary>
    private int WaitMilliseconds => request.WaitMilliseconds is { } wait ? Math.Max(1, wait) : 0;

    private KeyShape Shape => LockBatch.ShapeOf(Keys);

    /// <summary>For a save, once for each attempt. The row comes first, so an error of the statements after it is none of the lock.</summary>
    public EnvelopeStatement Statement()
    {
        Begin();
        var types = request.Context.GetService<IRelationalTypeMappingSource>();
        List<SqlParameterValue> parameters = [Of(Shape == KeyShape.Several ? LockBatch.NumbersOf(Keys) : Keys[0].Number), Of(WaitMilliseconds)];
        if (Shape == KeyShape.Several)
        {
            parameters.Add(Of(LockBatch.PairsOf(Keys)));
        }

        return new(AdvisoryLocksRideSql.Statement(request.Options.Mode, Shape), parameters, onRow: row => Taken(row.GetString(0)));

        SqlParameterValue Of(object value) => new(value, types.FindMapping(value.GetType())!);
    }

    /// <summary>For <c>ExecuteUpdate</c> and <c>ExecuteDelete</c>, once for each attempt.</summary>
    public void PutBefore(DbCommand command)
    {
        Begin();
        command.CommandText = AdvisoryLocksRideSql.Prefix(request.Options.Mode, Shape, IsInTransaction) + command.CommandText;
        command.CommandTimeout = Allow(command.CommandTimeout);
        command.Parameters.Add(Shape == KeyShape.Several ? LockBatch.Numbers(Keys, AdvisoryLocksRideSql.Key) : new NpgsqlParameter<long>(AdvisoryLocksRideSql.Key, Keys[0].Number));
        command.Parameters.Add(new NpgsqlParameter<int>(AdvisoryLocksRideSql.Wait, WaitMilliseconds));
        if (Shape == KeyShape.Several)
        {
            command.Parameters.Add(LockBatch.Pairs(Keys, AdvisoryLocksRideSql.Pairs));
        }
    }

    /// <summary>The client's limit, in seconds, of a command that first waits: the wait is not the command's.</summary>
    public int Allow(int commandTimeout)
        => commandTimeout == 0 || WaitMilliseconds == 0 ? 0 : (int)Math.Min(int.MaxValue, commandTimeout + (long)Math.Ceiling(WaitMilliseconds / 1000d));

    /// <summary>The lock is held, and with it the rest of the list runs.</summary>
    public void Taken(string how)
    {
        _wait?.Ended(new LockReply(how));
        End();
    }

    /// <summary>What the server's answer means, if the lock is why the write failed; null leaves the failure as it is.</summary>
    public Exception? Explain(Exception failure)
    {
        if (_wait is null || failure is OperationCanceledException || SqlStates.FindPostgresException(failure) is not { } error)
        {
            return null;
        }

        Refusal = error.SqlState switch
        {
            PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled => request.TimedOut(error),
            PostgresErrorCodes.DeadlockDetected => new AdvisoryLockDeadlockException(Keys, error),
            PostgresErrorCodes.OutOfMemory => new AdvisoryLockTableFullException(Keys, error),
            PostgresErrorCodes.ActiveSqlTransaction => AdvisoryLockNotPossibleException.SnapshotTooOld(),
            _ => null,
        };
        switch (Refusal)
        {
            case AdvisoryLockTimeoutException:
                _wait.Ended(new LockReply("timeout"));
                break;
            case AdvisoryLockNotPossibleException:
                _wait.Ended(new LockReply("snapshot"));
                break;
            case AdvisoryLockDeadlockException or AdvisoryLockTableFullException:
                _wait.Failed(Refusal is AdvisoryLockDeadlockException ? "deadlock" : "table_full", error);
                break;
            default:
                return null;
        }

        End();

        // A strategy knows the server's exception as one to retry after, and ours as one not to.
        return Refusal is AdvisoryLockDeadlockException && MayRunAgain ? null : Refusal;
    }

    /// <summary>The write has ended without a word about the lock.</summary>
    public void GaveUp(Exception failure)
    {
        _wait?.Failed(failure is OperationCanceledException ? "cancelled" : "failed", failure);
        End();
    }

    public void Dispose() => _wait?.Dispose();

    private void Begin()
    {
        _wait = new LockWait(request);
        Refusal = null;
    }

    private void End()
    {
        _wait?.Dispose();
        _wait = null;
    }
}
