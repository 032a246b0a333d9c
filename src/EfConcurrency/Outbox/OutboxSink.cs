using Npgsql;

namespace EfConcurrency.Outbox;

/// <summary>Delivers the log to one transport: one session after the other.</summary>
internal sealed class OutboxSink(
    OutboxDatabase database, IOutboxTransport transport, OutboxDispatcherOptions options, OutboxOwnership owner, OutboxSignal signal, OutboxReport report, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    public OutboxDatabase Database => database;

    public IOutboxTransport Transport => transport;

    public OutboxDispatcherOptions Options => options;

    public OutboxOwnership Owner => owner;

    public OutboxSignal Signal => signal;

    public OutboxReport Report => report;

    public TimeProvider Time => time;

    public OutboxHealth Health { get; } = new(report, time);

    /// <param name="stopping">Nothing new is begun; what is being sent is finished.</param>
    /// <param name="ending">Everything is cancelled.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken ending)
    {
        for (var failures = 0; !stopping.IsCancellationRequested;)
        {
            var startedAt = time.GetTimestamp();
            try
            {
                var session = await OutboxSession.OpenAsync(this, ending).ConfigureAwait(false);
                await using (session.ConfigureAwait(false))
                {
                    await session.RunAsync(stopping).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                failures = time.GetElapsedTime(startedAt) > LongestPause ? 1 : failures + 1;
                report.SessionFailed(Explain(failure));
                database.Connections.ClearPool();
                await PauseAsync(OutboxHealth.BackOff(failures, FirstPause, LongestPause, Random.Shared.NextDouble()), stopping).ConfigureAwait(false);
            }
        }
    }

    private Exception Explain(Exception failure)
        => failure is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidSchemaName }
            ? OutboxTableMissingException.NotInDatabase(database.Table.Log.Name, failure)
            : failure;

    private async Task PauseAsync(TimeSpan pause, CancellationToken stopping)
        => await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
