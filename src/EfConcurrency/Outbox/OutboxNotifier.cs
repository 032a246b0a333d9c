using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace EfConcurrency.Outbox;

/// <summary>
/// Tells other processes by NOTIFY that something was enqueued here, and hears of theirs. On connections of its own: in the transaction that enqueues,
/// NOTIFY takes a lock on the whole database over its commit (7,531 commits/s became 644). A hint: who misses it polls.
/// </summary>
internal sealed class OutboxNotifier(OutboxDatabase database, OutboxReport report, TimeProvider time)
{
    /// <summary>At most one in this time; what comes within it is told at its end.</summary>
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>The same for all processes that share the table.</summary>
    private readonly string _channel = "efc_outbox_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database.Table.Log.Name)).AsSpan(0, 6));

    /// <summary>Tells of what is committed in this process.</summary>
    public Task TellAsync(OutboxSignal signal, CancellationToken stopping) => RepeatAsync(
        async connection =>
        {
            while (true)
            {
                await signal.WaitAsync(Timeout.InfiniteTimeSpan, stopping).ConfigureAwait(false);
                var command = new NpgsqlCommand(OutboxNotifySql.Notify, connection) { Parameters = { new() { Value = _channel } } };
                await using (command.ConfigureAwait(false))
                {
                    await command.ExecuteNonQueryAsync(stopping).ConfigureAwait(false);
                }

                await Task.Delay(Debounce, time, stopping).ConfigureAwait(false);
            }
        },
        stopping);

    /// <summary>Calls <paramref name="wake"/> when another process tells.</summary>
    public Task HearAsync(Action wake, CancellationToken stopping) => RepeatAsync(
        async connection =>
        {
            connection.Notification += (_, _) => wake();
            var command = new NpgsqlCommand(OutboxNotifySql.Listen(_channel), connection);
            await using (command.ConfigureAwait(false))
            {
                await command.ExecuteNonQueryAsync(stopping).ConfigureAwait(false);
            }

            while (true)
            {
                await connection.WaitAsync(stopping).ConfigureAwait(false);
            }
        },
        stopping);

    private async Task RepeatAsync(Func<NpgsqlConnection, Task> work, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var connection = await database.Connections.OpenAsync(stopping).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    if (await IsPooledAsync(connection, stopping).ConfigureAwait(false))
                    {
                        return;
                    }

                    await work(connection).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failure)
            {
                report.NotifyFailed(failure);
                await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static async Task<bool> IsPooledAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(OutboxSessionSql.ServerProcess, connection);
        await using (command.ConfigureAwait(false))
        {
            return (int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! != connection.ProcessID;
        }
    }
}
