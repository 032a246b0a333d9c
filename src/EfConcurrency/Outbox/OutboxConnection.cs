using EfConcurrency.Postgres;
using Npgsql;

namespace EfConcurrency.Outbox;

/// <summary>
/// A connection that a dispatcher keeps, used by one at a time. When it breaks, all that its dispatcher remembers is void: the server may be
/// another now, or have forgotten transactions.
/// </summary>
internal sealed class OutboxConnection : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly bool _isReader;
    private readonly int _timeoutSeconds;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<string, NpgsqlCommand> _prepared = new(StringComparer.Ordinal);

    private OutboxConnection(NpgsqlConnection connection, bool isReader, bool isPooled, TimeSpan timeout)
    {
        _connection = connection;
        _isReader = isReader;
        IsPooled = isPooled;
        _timeoutSeconds = Math.Max(1, (int)timeout.TotalSeconds);
    }

    /// <summary>Whether a pooler is between: then settings and prepared statements of the session are not ours.</summary>
    public bool IsPooled { get; }

    /// <param name="connections">Where from.</param>
    /// <param name="isReader">Whether it reads the log, where the planner must not guess: partitions that were just emptied have no statistics.</param>
    /// <param name="timeout">How long a statement may take.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static async Task<OutboxConnection> OpenAsync(SideConnections connections, bool isReader, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var command = new NpgsqlCommand(OutboxSessionSql.ServerProcess, connection);
            await using (command.ConfigureAwait(false))
            {
                var isPooled = (int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! != connection.ProcessID;
                if (isReader && !isPooled)
                {
                    command.CommandText = OutboxSessionSql.UseIndexes;
                    await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                }

                return new(connection, isReader, isPooled, timeout);
            }
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task<T> QueryAsync<T>(string sql, object[] parameters, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var reader = IsPooled
                ? await ExecuteAsync(sql, parameters, cancellationToken).ConfigureAwait(false)
                : await ExecutePreparedAsync(sql, parameters, cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                return await read(reader, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] parameters)
        => QueryAsync(sql, parameters, static (reader, _) => Task.FromResult(reader.RecordsAffected), cancellationToken);

    /// <summary>A list of what <paramref name="read"/> makes of each row.</summary>
    public Task<List<T>> ListAsync<T>(string sql, object[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        => QueryAsync(
            sql,
            parameters,
            async (reader, token) =>
            {
                var rows = new List<T>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    rows.Add(read(reader));
                }

                return rows;
            },
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _prepared.Values)
        {
            await command.DisposeAsync().ConfigureAwait(false);
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
        _turn.Dispose();
    }

    private async Task<NpgsqlDataReader> ExecutePreparedAsync(string sql, object[] parameters, CancellationToken cancellationToken)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = new(sql, _connection) { CommandTimeout = _timeoutSeconds };
            Fill(command.Parameters, parameters);
            await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
            _prepared.Add(sql, command);
        }
        else
        {
            for (var i = 0; i < parameters.Length; i++)
            {
                command.Parameters[i].Value = parameters[i];
            }
        }

        return await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<NpgsqlDataReader> ExecuteAsync(string sql, object[] parameters, CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(_connection) { Timeout = _timeoutSeconds };
        var command = new NpgsqlBatchCommand(sql);
        Fill(command.Parameters, parameters);
        foreach (var part in _isReader
            ? (NpgsqlBatchCommand[])[new(OutboxSessionSql.Begin), new(OutboxSessionSql.UseIndexesHere), command, new(OutboxSessionSql.Commit)]
            : [command])
        {
            batch.BatchCommands.Add(part);
        }

        return await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void Fill(NpgsqlParameterCollection collection, object[] parameters)
    {
        foreach (var value in parameters)
        {
            collection.Add(new() { Value = value });
        }
    }
}
