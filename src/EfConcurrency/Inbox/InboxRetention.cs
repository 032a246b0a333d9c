using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.Inbox;

/// <summary>Removes what the inbox need not remember any more: days by TRUNCATE, which leaves no dead rows behind, ids without a day by DELETE.</summary>
internal sealed class InboxRetention
{
    private const string Purpose = "efconcurrency inbox";
    private const int BlocksAtATime = 128;

    private readonly InboxTable _table;
    private readonly SideConnections _connections;
    private readonly ISqlGenerationHelper _sql;
    private readonly ILogger _logger;

    private InboxRetention(InboxTable table, SideConnections connections, ISqlGenerationHelper sql, ILogger logger)
    {
        _table = table;
        _connections = connections;
        _sql = sql;
        _logger = logger;
    }

    /// <summary>The retention of the context's inbox; it does not need the context afterwards.</summary>
    /// <exception cref="InboxTableMissingException">The model has no inbox.</exception>
    public static InboxRetention Of(DbContext context, ILogger logger)
        => new(InboxTable.Of(context), SideConnections.Of(context, Purpose, maxPoolSize: 1, context.GetService<TimeProvider>()), context.GetService<ISqlGenerationHelper>(), logger);

    /// <summary>One round.</summary>
    /// <returns>False when a partition was due and in use: try again soon.</returns>
    /// <exception cref="InboxTableMissingException">The database has not the table of the model, or another number of partitions.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var connection = await _connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var partitions = await PartitionsAsync(connection, cancellationToken).ConfigureAwait(false);
            var free = await FreeSlotAsync(connection, cancellationToken).ConfigureAwait(false);
            var isDone = free is null || partitions[free.Value].Blocks == 0 || await EmptyAsync(connection, partitions[free.Value].Name, free.Value, cancellationToken).ConfigureAwait(false);
            var (name, blocks) = partitions[InboxKey.DaySlots(_table.WindowDays)];
            await DeleteOldAsync(connection, name, blocks, cancellationToken).ConfigureAwait(false);
            return isDone;
        }
    }

    /// <summary>
    /// Waits only a moment for the lock: accepting transactions queue behind it. Who holds the partition has accepted something there and not
    /// committed yet; who comes for it later reads the clock, and is refused.
    /// </summary>
    private async Task<bool> EmptyAsync(NpgsqlConnection connection, string partition, int slot, CancellationToken cancellationToken)
    {
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                await ExecuteAsync(connection, InboxCleanupSql.SetLockTimeout, cancellationToken).ConfigureAwait(false);
                await ExecuteAsync(connection, InboxCleanupSql.Lock(partition), cancellationToken).ConfigureAwait(false);
                if (await FreeSlotAsync(connection, cancellationToken).ConfigureAwait(false) == slot)
                {
                    await ExecuteAsync(connection, InboxCleanupSql.Truncate(partition), cancellationToken).ConfigureAwait(false);
                    await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                    InboxMeter.Partition("emptied");
                    InboxLog.PartitionEmptied(_logger, partition);
                }
            }

            return true;
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            InboxMeter.Partition("busy");
            return false;
        }
    }

    private async Task DeleteOldAsync(NpgsqlConnection connection, string partition, long blocks, CancellationToken cancellationToken)
    {
        var total = 0L;
        for (var block = 0L; block < blocks; block += BlocksAtATime)
        {
            var command = new NpgsqlCommand(InboxCleanupSql.DeleteOld(_table, partition), connection)
            {
                Parameters = { new NpgsqlParameter<long> { TypedValue = block }, new NpgsqlParameter<long> { TypedValue = block + BlocksAtATime } },
            };
            await using (command.ConfigureAwait(false))
            {
                total += await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        if (total > 0)
        {
            InboxMeter.RowsDeleted(total);
            InboxLog.RowsDeleted(_logger, total, partition);
        }
    }

    private async Task<Dictionary<int, (string Name, long Blocks)>> PartitionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(InboxCleanupSql.Partitions, connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = _table.Name } } };
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var partitions = new Dictionary<int, (string Name, long Blocks)>();
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    partitions.Add(reader.GetInt32(2), (_sql.DelimitIdentifier(reader.GetString(1), reader.GetString(0)), reader.GetInt64(3)));
                }

                var expected = InboxKey.DaySlots(_table.WindowDays) + 1;
                return partitions.Count == expected ? partitions
                    : throw InboxTableMissingException.OtherPartitions(_table.Name, _table.WindowDays, expected, partitions.Count);
            }
        }
    }

    private async Task<int?> FreeSlotAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(InboxCleanupSql.FreeSlot(_table), connection);
        await using (command.ConfigureAwait(false))
        {
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as int?;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
