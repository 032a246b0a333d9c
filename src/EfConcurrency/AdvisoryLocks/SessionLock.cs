using EfConcurrency.Postgres;
using Npgsql;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// A lock held by a connection of its own, which does nothing else. It is watched while it is held, and goes back to its pool only when the server
/// has confirmed that it holds nothing any more.
/// </summary>
internal sealed class SessionLock : IAsyncDisposable
{
    private const string Purpose = "efc-session-lock";

    /// <summary>Session locks that one process can hold or wait for at a time, on one database.</summary>
    private const int MaxPoolSize = 50;

    /// <summary>A server that does not answer a ping for this long is as good as gone.</summary>
    private const int AnswerSeconds = 5;

    private readonly LockRequest _request;
    private readonly LockReply _reply;
    private readonly SideConnections _side;
    private readonly NpgsqlConnection _connection;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watch;
    private Exception? _loss;

    private SessionLock(LockRequest request, LockReply reply, SideConnections side, NpgsqlConnection connection)
    {
        _request = request;
        _reply = reply;
        _side = side;
        _connection = connection;
        _watch = WatchAsync();
    }

    /// <summary>Cancelled when the lock is lost.</summary>
    public CancellationToken LostToken => _lost.Token;

    public LockReply Reply => _reply;

    /// <summary>Takes the locks, or says why not.</summary>
    /// <exception cref="SessionLockUnsafeException">Nothing was taken.</exception>
    public static async Task<(SessionLock? Lock, LockReply Reply)> TakeAsync(LockRequest request, CancellationToken cancellationToken)
    {
        var started = request.Time.GetTimestamp();
        var side = request.Side(Purpose, MaxPoolSize);
        var connection = await side.OpenAsync(cancellationToken).ConfigureAwait(false);
        LockReply? reply = null;
        try
        {
            reply = await SendAsync(request, connection, Left(request, started), cancellationToken).ConfigureAwait(false);
            if (reply.IsTaken)
            {
                return (new(request, reply, side, connection), reply);
            }
        }
        finally
        {
            if (reply is not { IsTaken: true })
            {
                await GiveUpAsync(request, side, connection).ConfigureAwait(false);
            }
        }

        return reply.How switch
        {
            "pooler" => throw new SessionLockUnsafeException(SessionLockRefusal.Pooler),
            "standby" => throw new SessionLockUnsafeException(SessionLockRefusal.Standby),
            _ => (null, reply),
        };
    }

    /// <exception cref="AdvisoryLockLostException">The lock is known to be lost.</exception>
    public void ThrowIfLost()
    {
        if (_lost.IsCancellationRequested)
        {
            throw new AdvisoryLockLostException(_request.Keys, _loss);
        }
    }

    /// <summary>Releases the lock. Never fails: <see cref="ThrowIfLost"/> tells afterwards whether the lock was there until now.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watch.ConfigureAwait(false);
        if (!_lost.IsCancellationRequested && !await UnlockAsync().ConfigureAwait(false))
        {
            await LoseAsync(_loss).ConfigureAwait(false);
        }

        if (_lost.IsCancellationRequested)
        {
            _side.ClearPool();
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _lost.Dispose();
    }

    /// <summary>What is left of the wait: a new connection may have taken some of it.</summary>
    private static int? Left(LockRequest request, long started)
        => request.WaitMilliseconds is { } wait and > 0
            ? Math.Max(1, wait - (int)request.Time.GetElapsedTime(started).TotalMilliseconds)
            : request.WaitMilliseconds;

    private static async Task<LockReply> SendAsync(LockRequest request, NpgsqlConnection connection, int? waitMilliseconds, CancellationToken cancellationToken)
    {
        var batch = new LockBatch(connection, request, LockPlace.Session);
        await using (batch.ConfigureAwait(false))
        {
            var expected = Expected(request, connection);
            batch.AddPrepareSession(expected);
            batch.AddTake(waitMilliseconds, expected);
            using var wait = new LockWait(request);
            return wait.Ended(await batch.SendAsync(wait, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>A pooler makes up the process id that it tells its clients; the server does not.</summary>
    private static int? Expected(LockRequest request, NpgsqlConnection connection)
        => request.Options.AllowSessionPooling ? null : connection.ProcessID;

    /// <summary>
    /// Some of several keys may be held, and also one whose wait was cancelled in the moment in which it ended: session locks outlive the statement that fails.
    /// https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    /// </summary>
    private static async Task GiveUpAsync(LockRequest request, SideConnections side, NpgsqlConnection connection)
    {
        try
        {
            var command = new NpgsqlCommand(AdvisoryLocksSql.ReleaseAll, connection) { CommandTimeout = AnswerSeconds, Parameters = { LockBatch.Number(Expected(request, connection)) } };
            await using (command.ConfigureAwait(false))
            {
                await command.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            side.ClearPool();
        }

        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Listens, so that a server that ends the session is heard at once, and asks when nothing is heard.</summary>
    private async Task WatchAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                if (!await _connection.WaitAsync(_request.Options.KeepAlive, _stop.Token).ConfigureAwait(false))
                {
                    await PingAsync().ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The work is done.
        }
#pragma warning disable CA1031 // Whatever ends the watch, nobody knows any more whether the lock is held.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await LoseAsync(exception).ConfigureAwait(false);
        }
    }

    private async Task PingAsync()
    {
        var command = new NpgsqlCommand(AdvisoryLocksSql.KeepAlive(AdvisoryLockComment.Of(_request.Keys)), _connection) { CommandTimeout = AnswerSeconds };
        await using (command.ConfigureAwait(false))
        {
            if (await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) is not int processId || processId != _reply.ProcessId)
            {
                throw new SessionLockUnsafeException(SessionLockRefusal.Pooler);
            }
        }
    }

    private async Task<bool> UnlockAsync()
    {
        try
        {
            var command = new NpgsqlCommand(AdvisoryLocksSql.Unlock(_request.Options.Mode), _connection)
            {
                CommandTimeout = AnswerSeconds,
                Parameters = { LockBatch.Numbers(_request.Keys), LockBatch.Pairs(_request.Keys), LockBatch.Number(_reply.ProcessId) },
            };
            await using (command.ConfigureAwait(false))
            {
                return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) is true;
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            _loss = exception;
            return false;
        }
    }

    private async Task LoseAsync(Exception? exception)
    {
        _loss = exception;
        AdvisoryLocksMeter.WasLost(_request.Options);
        AdvisoryLocksLog.SessionLockLost(_request.State.Logger, exception, _reply.Id, _request.Keys.ToString(), _reply.ProcessId);
        await _lost.CancelAsync().ConfigureAwait(false);
    }
}
