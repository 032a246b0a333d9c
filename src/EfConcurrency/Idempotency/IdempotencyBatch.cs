using System.Data.Common;
using System.Globalization;
using EfConcurrency.Resilience;
using Npgsql;
using NpgsqlTypes;

namespace EfConcurrency.Idempotency;

/// <summary>Statements of the room, sent together on one connection.</summary>
internal sealed class IdempotencyBatch(IdempotencyCall call, NpgsqlConnection connection) : IAsyncDisposable
{
    private readonly NpgsqlBatch _batch = connection.CreateBatch();

    public void Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        _batch.BatchCommands.Add(command);
    }

    public void AddLimitWait(TimeSpan wait)
    {
        Add(IdempotencySql.LimitWait, Text(((long)Math.Max(1, wait.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture)));
        _batch.Timeout = 0; // the server ends the wait
    }

    /// <summary>Two statements, never one: the second sees what was committed while the first waited.</summary>
    /// <param name="lease">How long the claim holds when it is committed by itself; null when it is not.</param>
    public void AddClaim(TimeSpan? lease)
    {
        Add(call.Table.Sql.Claim, [.. Key(call.Key), Octets(call.Fingerprint.HashBytes), Small(call.Fingerprint.Version), Id(call.Owner), Time(lease), Time(call.Options.Retention)]);
        AddLook();
    }

    public void AddLook() => Add(call.Table.Sql.Look, [.. Key(call.Key), Octets(call.Fingerprint.HashBytes), Small(call.Fingerprint.Version)]);

    public void AddDeleteIfExpired() => Add(call.Table.Sql.DeleteIfExpired, Key(call.Key));

    public void AddReset(TimeSpan? lease, long fence) => Add(
        call.Table.Sql.Reset,
        [.. Key(call.Key), Octets(call.Fingerprint.HashBytes), Small(call.Fingerprint.Version), Id(call.Owner), Time(lease), Time(call.Options.Retention), Big(fence)]);

    public void AddTakeOver(TimeSpan? lease, long fence) => Add(call.Table.Sql.TakeOver, [.. Key(call.Key), Id(call.Owner), Time(lease), Big(fence)]);

    /// <summary>Begins a step.</summary>
    public void AddBegin(long fence, string step) => Add(call.Table.Sql.Begin, [.. Key(call.Key), Big(fence), Text(step), Time(call.Options.Lease)]);

    /// <summary>Keeps the result of a step.</summary>
    /// <param name="fence">The claim.</param>
    /// <param name="step">The step.</param>
    /// <param name="json">Its result.</param>
    public void AddRecord(long fence, string step, string json) => Add(
        call.Table.Sql.Record, [.. Key(call.Key), Big(fence), Text(step), Time(call.Options.Lease), new() { Value = json, NpgsqlDbType = NpgsqlDbType.Jsonb }]);

    public void AddExtend(long fence) => Add(call.Table.Sql.Extend, [.. Key(call.Key), Big(fence), Time(call.Options.Lease)]);

    public void AddRelease(long fence) => Add(call.Table.Sql.Release, [.. Key(call.Key), Big(fence)]);

    public void AddMarkAmbiguous(long fence, string step) => Add(call.Table.Sql.MarkAmbiguous, [.. Key(call.Key), Big(fence), Text(step)]);

    public void AddComplete(long fence, StoredResponse response) => Add(call.Table.Sql.Complete, [.. Key(call.Key), Big(fence), .. Response(response)]);

    /// <summary>Sends a claim: <paramref name="before"/> statements that return something, then the two, then whatever else.</summary>
    public Task<IdempotencyAnswer> SendClaimAsync(int before, CancellationToken cancellationToken)
        => SendAsync(
            async (reader, token) =>
            {
                for (var i = 0; i < before; i++)
                {
                    await reader.NextResultAsync(token).ConfigureAwait(false);
                }

                var claim = await reader.ReadAsync(token).ConfigureAwait(false) ? ReadClaim(reader) : null;
                await reader.NextResultAsync(token).ConfigureAwait(false);
                var row = await reader.ReadAsync(token).ConfigureAwait(false) ? IdempotencyRow.Read(reader) : null;
                while (await reader.NextResultAsync(token).ConfigureAwait(false))
                {
                    // An error of a later statement shows only when its result is read.
                }

                return new IdempotencyAnswer(claim, row);
            },
            cancellationToken);

    /// <summary>Sends a look.</summary>
    public Task<IdempotencyRow?> SendLookAsync(CancellationToken cancellationToken)
        => SendAsync(static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) ? IdempotencyRow.Read(reader) : null, cancellationToken);

    /// <summary>Sends statements of which the last is fenced: the claim, or null when it is another's.</summary>
    public Task<IdempotencyClaim?> SendTakeAsync(int before, CancellationToken cancellationToken)
        => SendAsync(
            async (reader, token) =>
            {
                for (var i = 0; i < before; i++)
                {
                    await reader.NextResultAsync(token).ConfigureAwait(false);
                }

                return await reader.ReadAsync(token).ConfigureAwait(false) ? ReadClaim(reader) : null;
            },
            cancellationToken);

    /// <summary>Sends what must not be half done: with a time limit of its own.</summary>
    /// <param name="fence">The claim, for the message.</param>
    /// <exception cref="IdempotencyClaimLostException">The claim is another's.</exception>
    public async Task SendToTheEndAsync(long fence)
    {
        _batch.Timeout = (int)Math.Ceiling(call.Options.StoreTimeout.TotalSeconds);
        try
        {
            await _batch.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (PostgresException error) when (
            error.SqlState == PostgresErrorCodes.InvalidTextRepresentation && error.MessageText.Contains(IdempotencySql.ClaimLost, StringComparison.Ordinal))
        {
            throw new IdempotencyClaimLostException(call.Key, fence, error);
        }
    }

    public ValueTask DisposeAsync() => _batch.DisposeAsync();

    public static NpgsqlParameter[] Key(IdempotencyKey key) => [Text(key.Scope), Text(key.Key)];

    /// <summary>Status, headers, body, protection key.</summary>
    public static NpgsqlParameter[] Response(StoredResponse response) =>
    [
        new() { Value = (object?)response.Status ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Smallint },
        new() { Value = (object?)response.Headers ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb },
        new() { Value = (object?)response.Body ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea },
        Text(response.ProtectionKeyId),
    ];

    public static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Octets(byte[] value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bytea };

    public static NpgsqlParameter Small(short value) => new NpgsqlParameter<short> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Smallint };

    public static NpgsqlParameter Big(long value) => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    public static NpgsqlParameter Id(Guid value) => new NpgsqlParameter<Guid> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid };

    public static NpgsqlParameter Time(TimeSpan? value)
        => new() { Value = value is { } time ? time.Ticks / TimeSpan.TicksPerMicrosecond : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private async Task<T> SendAsync<T>(Func<DbDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            DbDataReader reader = await _batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                return await read(reader, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            throw IdempotencyTableMissingException.NotInDatabase(call.Table.Name, error);
        }
    }

    private static IdempotencyClaim ReadClaim(DbDataReader row)
    {
        var claim = new IdempotencyClaim(row.GetInt64(0), row.IsDBNull(1) ? null : new CommitTicket(row.GetString(1), row.GetString(2)));
        return row.FieldCount == 3 ? claim : claim with
        {
            Attempts = row.GetInt32(3),
            RecoveryPoint = row.IsDBNull(4) ? null : row.GetString(4),
            RecoveryData = row.IsDBNull(5) ? null : row.GetString(5),
        };
    }
}
