using System.Collections.Concurrent;
using Npgsql;
using NpgsqlTypes;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// Writes names into their table when this process first uses them, beside the caller's transaction: there, two holders of a shared lock would wait
/// for each other's row. A singleton of EF's internal provider.
/// </summary>
internal sealed class AdvisoryLockNameRecorder
{
    private const string Purpose = "efc-lock-names";
    private const int MaxPoolSize = 2;

    /// <summary>So many names are remembered; beyond, they are written again, which changes nothing.</summary>
    private const int MaxKnown = 10_000;

    private readonly ConcurrentDictionary<(string Database, long Key), string> _known = new();

    /// <exception cref="AdvisoryKeyCollisionException">The table knows another name with the same number.</exception>
    /// <exception cref="InvalidOperationException">The table is missing.</exception>
    public async Task RecordAsync(LockRequest request, CancellationToken cancellationToken)
    {
        if (AdvisoryLockNameTable.Of(request.Context) is not { } table)
        {
            return;
        }

        var database = table.Table + request.Connection.ConnectionString;
        var unknown = request.Keys.Where(k => k.Name is not null && !(_known.TryGetValue((database, k.Number), out var name) && name == k.FullName)).ToList();
        if (unknown.Count == 0)
        {
            return;
        }

        try
        {
            await WriteAsync(request, table, unknown, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (AdvisoryLockNameTable.IsMissing(exception))
        {
            throw table.Missing(exception);
        }
        catch (NpgsqlException exception)
        {
            AdvisoryLocksLog.NameNotRecorded(request.State.Logger, exception, request.Keys.ToString());
            if (exception is not PostgresException)
            {
                return;
            }

            // The server refuses it (no right to insert, say): once is enough, for the log and for the round trip.
        }

        if (_known.Count > MaxKnown)
        {
            _known.Clear();
        }

        unknown.ForEach(k => _known[(database, k.Number)] = k.FullName!);
    }

    private static async Task WriteAsync(LockRequest request, AdvisoryLockNameTable table, List<AdvisoryKey> keys, CancellationToken cancellationToken)
    {
        var connection = await request.Side(Purpose, MaxPoolSize).OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var command = new NpgsqlCommand(AdvisoryLockInspectionSql.RecordNames(table), connection)
            {
                Parameters =
                {
                    new() { Value = keys.Select(k => k.Number).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                    new() { Value = keys.Select(k => k.Namespace).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                    new() { Value = keys.Select(k => k.Name!).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                },
            };
            await using (command.ConfigureAwait(false))
            {
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        var known = new AdvisoryKey(reader.GetInt64(0), isPair: false, reader.GetString(2), reader.GetString(1));
                        AdvisoryKeyCollisionException.ThrowIfOtherName(known, keys.Find(k => k == known)!);
                    }
                }
            }
        }
    }
}
