using EfConcurrency.Postgres;
using Npgsql;

namespace EfConcurrency.Leases;

/// <summary>
/// Sends the statements of the room on connections of its own, and turns what can go wrong into exceptions of the library. Renewals have
/// a pool to themselves: an acquisition that waits must not keep one from coming through.
/// </summary>
internal sealed class LeaseStore(SideConnections acquiring, SideConnections keeping, LeaseSql sql)
{
    private static readonly TimeSpan ForceWait = TimeSpan.FromSeconds(10);

    /// <summary>A row: acquired or not, and whose lease it is now. Null when another contender was first, or the last holder is about to commit.</summary>
    public async Task<LeaseAnswer?> AcquireAsync(string name, Guid holder, string info, TimeSpan timeToLive, TimeSpan takeoverWait, CancellationToken cancellationToken)
    {
        try
        {
            return await QueryAsync<LeaseAnswer?>(
                name,
                acquiring,
                sql.Acquire,
                [name, holder, info, timeToLive.TotalSeconds, Milliseconds(takeoverWait)],
                static reader => new(reader.GetBoolean(0), reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetString(2), Seconds(reader, 3)),
                cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException error) when (IsContended(error))
        {
            return null;
        }
    }

    /// <summary>The time the database gives, or null when the lease is another's.</summary>
    public Task<TimeSpan?> RenewAsync(string name, long token, Guid holder, TimeSpan timeToLive, CancellationToken cancellationToken)
        => QueryAsync<TimeSpan?>(
            name, keeping, sql.Renew, [name, token, holder, timeToLive.TotalSeconds], static reader => Seconds(reader, 0), cancellationToken);

    /// <summary>Whether the lease was still ours.</summary>
    public Task<bool> ReleaseAsync(string name, long token, Guid holder, CancellationToken cancellationToken)
        => QueryAsync(name, keeping, sql.Release, [name, token, holder], static _ => true, cancellationToken);

    /// <summary>Null when there is no such lease, or its token is not <paramref name="token"/> (null: any).</summary>
    public async Task<ForcedRelease?> ForceAsync(string name, long? token, CancellationToken cancellationToken)
    {
        try
        {
            return await QueryAsync(
                name,
                acquiring,
                sql.Force,
                [name, Milliseconds(ForceWait), token is { } expected ? expected : DBNull.Value],
                static reader => new ForcedRelease(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetString(1)),
                cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException error) when (IsContended(error))
        {
            throw new LeaseNotAcquiredException(name, ForceWait, LeaseAcquisition.Contended);
        }
    }

    public Task<LeaseInfo?> DescribeAsync(string name, CancellationToken cancellationToken)
        => QueryAsync<LeaseInfo?>(name, acquiring, sql.Describe, [name], Info, cancellationToken);

    public Task<IReadOnlyList<LeaseInfo>> ListAsync(CancellationToken cancellationToken)
        => RunAsync<IReadOnlyList<LeaseInfo>>(
            "*",
            acquiring,
            sql.List,
            [],
            static async (reader, token) =>
            {
                var leases = new List<LeaseInfo>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    leases.Add(Info(reader));
                }

                return leases;
            },
            cancellationToken);

    private static bool IsContended(PostgresException error)
        => error.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;

    /// <summary>The first row, or the default.</summary>
    private Task<T?> QueryAsync<T>(
        string name, SideConnections connections, string statement, object[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        => RunAsync(
            name,
            connections,
            statement,
            parameters,
            async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) ? read(reader) : default,
            cancellationToken);

    private async Task<T> RunAsync<T>(
        string name,
        SideConnections connections,
        string statement,
        object[] parameters,
        Func<NpgsqlDataReader, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken)
    {
        try
        {
            var connection = await connections.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var command = new NpgsqlCommand(statement, connection);
                await using (command.ConfigureAwait(false))
                {
                    foreach (var value in parameters)
                    {
                        command.Parameters.Add(new() { Value = value });
                    }

                    var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                    await using (reader.ConfigureAwait(false))
                    {
                        return await read(reader, cancellationToken).ConfigureAwait(false);
                    }
                }
            }
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            throw LeaseTableMissingException.InDatabase(sql.Table, error);
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.ObjectNotInPrerequisiteState)
        {
            // The server was demoted, or is a standby: other connections of the pool lead to it too.
            connections.ClearPool();
            throw new LeaseUnavailableException(name, isReadOnlyServer: true, error);
        }
        catch (NpgsqlException error) when (error is not PostgresException || (error.IsTransient && !IsContended((PostgresException)error)))
        {
            throw new LeaseUnavailableException(name, isReadOnlyServer: false, error);
        }
    }

    private static LeaseInfo Info(NpgsqlDataReader reader)
        => new(
            reader.GetString(0),
            reader.GetInt64(1),
            reader.IsDBNull(2) ? null : reader.GetGuid(2),
            reader.IsDBNull(3) ? null : reader.GetString(3),
            reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4),
            reader.IsDBNull(5) ? null : reader.GetFieldValue<DateTimeOffset>(5),
            Seconds(reader, 6));

    /// <summary>'-infinity' (a lease that was released) and what is over are zero, 'infinity' (a token from elsewhere) is all the time there is.</summary>
    private static TimeSpan Seconds(NpgsqlDataReader reader, int ordinal)
        => reader.GetDouble(ordinal) switch
        {
            <= 0 => TimeSpan.Zero,
            > 1e11 => TimeSpan.MaxValue,
            var seconds => TimeSpan.FromSeconds(seconds),
        };

    private static string Milliseconds(TimeSpan time) => $"{Math.Max(1, (long)time.TotalMilliseconds)}ms";
}
