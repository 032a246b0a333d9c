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

    public NpgsqlBatchCommand Add(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        _batch.BatchCommands.Add(command);
        return command;
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

    public void AddReset(TimeSpan? lease, long fence) => Add(
        call.Table.Sql.Reset,
        [.. Key(call.Key), Octets(call.Fingerprint.HashBytes), Small(call.Fingerprint.Version), Id(call.Owner), Time(lease), Time(call.Options.Retention), Big(fence)]);

    public void AddTakeOver(TimeSpan? lease, long fence) => Add(call.Table.Sql.TakeOver, [.. Key(call.Key), Id(call.Owner), Time(lease), Big(fence)]);

    public NpgsqlBatchCommand AddComplete(long fence, StoredResponse response) => Add(
        call.Table.Sql.Complete,
        [
            .. Key(call.Key), Big(fence), new() { Value = (object?)response.Status ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Smallint },
            new() { Value = (object?)response.Headers ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb },
            new() { Value = (object?)response.Body ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea }, Text(response.ProtectionKeyId),
        ]);

    /// <summary>Sends a claim: <paramref name="before"/> statements, then the two, then whatever else.</summary>
    public async Task<IdempotencyAnswer> SendClaimAsync(int before, CancellationToken cancellationToken)
    {
        DbDataReader reader = await _batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            for (var i = 0; i < before; i++)
            {
                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            }

            var claim = await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? ReadClaim(reader) : null;
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            var row = await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? IdempotencyRow.Read(reader) : null;
            while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
            {
                // An error of a later statement shows only when its result is read.
            }

            return new(claim, row);
        }
    }

    /// <summary>Sends a look.</summary>
    public async Task<IdempotencyRow?> SendLookAsync(CancellationToken cancellationToken)
    {
        DbDataReader reader = await _batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? IdempotencyRow.Read(reader) : null;
        }
    }

    /// <summary>Sends a reset or a takeover: the claim, or null when another was first.</summary>
    public async Task<IdempotencyClaim?> SendTakeAsync(CancellationToken cancellationToken)
    {
        DbDataReader reader = await _batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
                ? ReadClaim(reader) with
                {
                    Attempts = reader.GetInt32(3),
                    RecoveryPoint = reader.IsDBNull(4) ? null : reader.GetString(4),
                    RecoveryData = reader.IsDBNull(5) ? null : reader.GetString(5),
                }
                : null;
        }
    }

    /// <summary>Sends what must not be half done: with a time limit of its own.</summary>
    public async Task SendToTheEndAsync()
    {
        _batch.Timeout = (int)Math.Ceiling(call.Options.StoreTimeout.TotalSeconds);
        await _batch.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _batch.DisposeAsync();

    public static NpgsqlParameter[] Key(IdempotencyKey key) => [Text(key.Scope), Text(key.Key)];

    public static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Octets(byte[] value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bytea };

    public static NpgsqlParameter Small(short value) => new NpgsqlParameter<short> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Smallint };

    public static NpgsqlParameter Big(long value) => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    public static NpgsqlParameter Id(Guid value) => new NpgsqlParameter<Guid> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid };

    public static NpgsqlParameter Time(TimeSpan? value)
        => new() { Value = value is { } time ? time.Ticks / TimeSpan.TicksPerMicrosecond : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private static IdempotencyClaim ReadClaim(DbDataReader row)
        => new(row.GetInt64(0), row.IsDBNull(1) ? null : new CommitTicket(row.GetString(1), row.GetString(2)));
}
