using EfConcurrency.Postgres;
using Npgsql;

namespace EfConcurrency.Idempotency;

/// <summary>
/// Statements that tell what was done, or that it is over: on connections of their own, because the context's may be broken or in use by then,
/// and repeated, because each finds what it has done.
/// </summary>
internal static class PhasedStore
{
    private const string Purpose = "efconcurrency idempotency";
    private const int MaxConnections = 4;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public static SideConnections Connections(IdempotencyCall call) => SideConnections.Of(call.Context, Purpose, MaxConnections, call.Time);

    /// <summary>Sends until an answer comes or the time for storing is over. Takes no cancellation token: what was done must not be forgotten.</summary>
    /// <param name="call">The call.</param>
    /// <param name="fence">Its claim.</param>
    /// <param name="add">Adds a statement that may be sent twice.</param>
    /// <exception cref="IdempotencyClaimLostException">The claim is another's.</exception>
    public static async Task SendAsync(IdempotencyCall call, long fence, Action<IdempotencyBatch> add)
    {
        var connections = Connections(call);
        var started = call.Time.GetTimestamp();
        while (true)
        {
            try
            {
                var connection = await connections.OpenAsync(CancellationToken.None).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    var batch = new IdempotencyBatch(call, connection);
                    await using (batch.ConfigureAwait(false))
                    {
                        batch.Add(IdempotencySql.Durable);
                        add(batch);
                        await batch.SendToTheEndAsync(fence).ConfigureAwait(false);
                        return;
                    }
                }
            }
            catch (NpgsqlException exception) when (exception.IsTransient && call.Time.GetElapsedTime(started) < call.Options.StoreTimeout)
            {
                await Task.Delay(Pause, call.Time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}
