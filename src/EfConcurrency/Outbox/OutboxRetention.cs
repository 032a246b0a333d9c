using Npgsql;

namespace EfConcurrency.Outbox;

/// <summary>
/// Empties the partition that is needed tomorrow, when every sink has passed all of it. Safe whoever else writes: under the lock, no transaction that
/// wrote to it is open, and all that is in it is older than what any cursor has yet to see. Who writes to it afterwards writes to an empty partition.
/// </summary>
internal sealed class OutboxRetention(OutboxDatabase database, OutboxReport report, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly OutboxRetentionSql _sql = new(database.Table);
    private string _reported = "";

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await EmptyAsync(stopping).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                report.RetentionFailed(failure);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(Interval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Tries once; whether a partition was emptied.</summary>
    public async Task<bool> EmptyAsync(CancellationToken cancellationToken)
    {
        var connection = await database.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                if (await FirstAsync(connection, OutboxRetentionSql.Next, cancellationToken, database.Table.Log.Name).ConfigureAwait(false) is not string partition
                    || await FirstAsync(connection, _sql.IsUsed(partition), cancellationToken).ConfigureAwait(false) is not true
                    || await IsHeldBackAsync(connection, partition, cancellationToken).ConfigureAwait(false))
                {
                    return false;
                }

                await FirstAsync(connection, OutboxRetentionSql.LockTimeout, cancellationToken).ConfigureAwait(false);
                try
                {
                    await FirstAsync(connection, OutboxRetentionSql.Lock(partition), cancellationToken).ConfigureAwait(false);
                }
                catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable)
                {
                    return false;
                }

                // Asked again: what was committed before the lock came may be new.
                if (await IsHeldBackAsync(connection, partition, cancellationToken).ConfigureAwait(false))
                {
                    return false;
                }

                await FirstAsync(connection, OutboxRetentionSql.Empty(partition), cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                report.PartitionEmptied(partition);
                return true;
            }
        }
    }

    private async Task<bool> IsHeldBackAsync(NpgsqlConnection connection, string partition, CancellationToken cancellationToken)
    {
        var sinks = new List<string>();
        var command = new NpgsqlCommand(_sql.HeldBackBy(partition), connection);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    sinks.Add(reader.GetString(0));
                }
            }
        }

        var names = string.Join(", ", sinks);
        if (names != _reported && names.Length > 0)
        {
            report.RetentionHeldBack(partition, names);
        }

        _reported = names;
        return sinks.Count > 0;
    }

    private static async Task<object?> FirstAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            foreach (var value in parameters)
            {
                command.Parameters.Add(new() { Value = value });
            }

            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
