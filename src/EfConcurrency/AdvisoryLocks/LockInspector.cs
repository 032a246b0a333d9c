using System.Data.Common;
using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>Looks at locks and ends holders, on a connection of its own: the context's may be the one that hangs.</summary>
internal sealed class LockInspector(DbContext context)
{
    private const string Purpose = "efc-lock-inspection";
    private const int MaxPoolSize = 2;

    public async Task<IReadOnlyList<AdvisoryLockHolder>> HoldersAsync(CancellationToken cancellationToken)
    {
        var locks = new List<LockRow>();
        var names = await InspectAsync(AdvisoryLockInspectionSql.Locks, row => locks.Add(LockRow.Read(row)), cancellationToken).ConfigureAwait(false);
        locks.ForEach(l => Learn(names, l.Session));
        return
        [
            .. from held in locks
               where held.IsGranted
               let waiters = from waiting in locks
                             where !waiting.IsGranted && waiting.Key == held.Key
                             orderby waiting.Since ?? DateTimeOffset.MaxValue
                             select new AdvisoryLockWaiter(waiting.Mode, waiting.Session, waiting.Since)
               select new AdvisoryLockHolder(held.Key, Name(names, held.Key), held.Mode, held.Session, [.. waiters]),
        ];
    }

    public async Task<IReadOnlyList<BlockedSession>> BlockingTreeAsync(CancellationToken cancellationToken)
    {
        var rows = new List<BlockingRow>();
        var names = await InspectAsync(AdvisoryLockInspectionSql.Blocking, row => rows.Add(BlockingRow.Read(row)), cancellationToken).ConfigureAwait(false);
        rows.ForEach(r => Learn(names, r.Session));
        return BlockingRow.Tree(rows, key => Name(names, key));
    }

    public async Task<bool> TerminateAsync(AdvisoryLockHolder holder, CancellationToken cancellationToken)
    {
        var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var command = new NpgsqlCommand(AdvisoryLockInspectionSql.Terminate, connection)
            {
                Parameters =
                {
                    new() { Value = holder.Session.ProcessId },
                    new() { Value = holder.Session.StartedAt is { } startedAt ? startedAt : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                    new() { Value = holder.Key.Number },
                    new() { Value = holder.Key.IsPair },
                    new() { Value = holder.Mode == AdvisoryLockMode.Shared },
                },
            };
            await using (command.ConfigureAwait(false))
            {
                try
                {
                    return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
                }
                catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
                {
                    throw AdvisoryLockPermissionException.Terminate(connection.UserName!, exception);
                }
            }
        }
    }

    private static string? Name(Dictionary<long, string> names, AdvisoryKey key) => key.IsPair ? null : names.GetValueOrDefault(key.Number);

    /// <summary>A statement of ours that waits, or that ran last, shows the names of its keys.</summary>
    private static void Learn(Dictionary<long, string> names, LockSession session)
    {
        foreach (var (number, name) in AdvisoryLockComment.Read(session.Statement ?? ""))
        {
            names.TryAdd(number, name);
        }
    }

    private Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
        => SideConnections.Of(context, Purpose, MaxPoolSize, AdvisoryLockState.Of(context).Time).OpenAsync(cancellationToken).AsTask();

    /// <summary>Whether the role may look, what it looks for, and the names: one round trip.</summary>
    private async Task<Dictionary<long, string>> InspectAsync(string sql, Action<DbDataReader> read, CancellationToken cancellationToken)
    {
        var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var batch = connection.CreateBatch();
            await using (batch.ConfigureAwait(false))
            {
                var table = AdvisoryLockNameTable.Of(context);
                foreach (var statement in (IEnumerable<string>)[AdvisoryLockInspectionSql.MayInspect, sql, .. table is null ? [] : new[] { AdvisoryLockInspectionSql.Names(table) }])
                {
                    batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
                }

                try
                {
                    return await ReadAsync(batch, read, cancellationToken).ConfigureAwait(false);
                }
                catch (PostgresException exception) when (table is not null && AdvisoryLockNameTable.IsMissing(exception))
                {
                    throw table.Missing(exception);
                }
            }
        }
    }

    private static async Task<Dictionary<long, string>> ReadAsync(NpgsqlBatch batch, Action<DbDataReader> read, CancellationToken cancellationToken)
    {
        var names = new Dictionary<long, string>();
        DbDataReader reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (!reader.GetBoolean(1))
            {
                throw AdvisoryLockPermissionException.Inspect(reader.GetString(0));
            }

            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                read(reader);
            }

            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                names[reader.GetInt64(0)] = reader.GetString(1);
            }
        }

        return names;
    }
}
