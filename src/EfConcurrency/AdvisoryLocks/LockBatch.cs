using System.Data.Common;
using Npgsql;
using NpgsqlTypes;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>The statements of one acquisition, sent together.</summary>
internal sealed class LockBatch(NpgsqlConnection connection, LockRequest request, LockPlace place) : IAsyncDisposable
{
    /// <summary>The server ends a wait by itself. The client gives up only on a server that does not answer.</summary>
    private const int AnswerSeconds = 10;

    private readonly NpgsqlBatch _batch = connection.CreateBatch();

    public void Add(string sql) => _batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));

    /// <summary>Session scope: before the lock is taken, because the settings hold from the next statement on.</summary>
    public void AddPrepareSession(int? expectedProcessId)
        => _batch.BatchCommands.Add(new NpgsqlBatchCommand(AdvisoryLocksSql.PrepareSession) { Parameters = { Number(expectedProcessId) } });

    /// <summary>One key, if it is free.</summary>
    public void AddTry()
    {
        var key = request.Keys[0];
        var sql = AdvisoryLocksSql.Try(place, request.Options.Mode, key.IsPair ? KeyShape.Pair : KeyShape.Number);
        _batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<long> { TypedValue = key.Number } } });
        _batch.Timeout = Limit(request.WaitMilliseconds);
    }

    public void AddTake(int? waitMilliseconds, int? expectedProcessId = null)
    {
        var keys = request.Keys;
        var shape = ShapeOf(keys);
        var take = new NpgsqlBatchCommand(AdvisoryLocksSql.Take(place, request.Options.Mode, shape, AdvisoryLockComment.Of(keys)));
        take.Parameters.Add(shape == KeyShape.Several ? Numbers(keys) : new NpgsqlParameter<long> { TypedValue = keys[0].Number });
        take.Parameters.Add(Number(waitMilliseconds));
        if (place == LockPlace.Session)
        {
            take.Parameters.Add(Number(expectedProcessId));
        }

        if (shape == KeyShape.Several)
        {
            take.Parameters.Add(Pairs(keys));
        }

        _batch.BatchCommands.Add(take);
        _batch.Timeout = Limit(waitMilliseconds);
    }

    /// <summary>Sends all. A wait that the server ended is an answer; what else it can say comes as an exception of ours.</summary>
    public async Task<LockReply> SendAsync(LockWait wait, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled)
        {
            return new LockReply("timeout") { WaitEndedBy = exception };
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.DeadlockDetected)
        {
            wait.Failed("deadlock", exception);
            throw new AdvisoryLockDeadlockException(request.Keys, exception);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.OutOfMemory)
        {
            wait.Failed("table_full", exception);
            throw new AdvisoryLockTableFullException(request.Keys, exception);
        }
        catch (Exception exception)
        {
            wait.Failed(exception is OperationCanceledException ? "cancelled" : "failed", exception);
            throw;
        }
    }

    public ValueTask DisposeAsync() => _batch.DisposeAsync();

    internal static KeyShape ShapeOf(AdvisoryKeySet keys) => keys.Count > 1 ? KeyShape.Several : keys[0].IsPair ? KeyShape.Pair : KeyShape.Number;

    internal static long[] NumbersOf(AdvisoryKeySet keys) => [.. keys.Select(k => k.Number)];

    internal static bool[] PairsOf(AdvisoryKeySet keys) => [.. keys.Select(k => k.IsPair)];

    internal static NpgsqlParameter Numbers(AdvisoryKeySet keys, string name = "")
        => new NpgsqlParameter<long[]> { ParameterName = name, TypedValue = NumbersOf(keys), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    internal static NpgsqlParameter Pairs(AdvisoryKeySet keys, string name = "")
        => new NpgsqlParameter<bool[]> { ParameterName = name, TypedValue = PairsOf(keys), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Boolean };

    internal static NpgsqlParameter Number(int? value)
        => new() { Value = value is { } number ? number : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer };

    /// <summary>In seconds; 0: none. Also for a statement that does not wait itself: a pooler may let it wait for a server connection.</summary>
    private static int Limit(int? waitMilliseconds) => waitMilliseconds is { } wait ? (int)Math.Ceiling(wait / 1000d) + AnswerSeconds : 0;

    private async Task<LockReply> ReadAsync(CancellationToken cancellationToken)
    {
        DbDataReader reader = await _batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            if (place == LockPlace.Session)
            {
                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            }

            LockReply? reply = null;
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                var row = Row(reader);
                reply = reply is null ? row : LockReply.Worse(row, reply);
            }

            while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
            {
                // An error of a later statement shows only when its result is read.
            }

            return reply!;
        }
    }

    private LockReply Row(DbDataReader row)
    {
        var how = row.GetString(0);
        return place switch
        {
            LockPlace.OwnTransaction when !row.IsDBNull(1) => new(how, new(row.GetString(1), row.GetString(2))),
            LockPlace.Session => new(how, ProcessId: row.GetInt32(1)),
            _ => new(how),
        };
    }
}
