using EfConcurrency.Postgres;
using Npgsql;

namespace EfConcurrency.Idempotency;

/// <summary>Extends a claim while its work runs, and notices when it is another's.</summary>
internal sealed class Heartbeat : IAsyncDisposable
{
    /// <summary>A phase holds the row until it commits, and needs no sign of life meanwhile: nobody can take over.</summary>
    private static readonly TimeSpan PatienceWithPhase = TimeSpan.FromMilliseconds(200);

    private readonly IdempotencyCall _call;
    private readonly long _fence;
    private readonly SideConnections _connections;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly Task _beating;

    private Heartbeat(IdempotencyCall call, long fence)
    {
        _call = call;
        _fence = fence;
        _connections = PhasedStore.Connections(call);
        _beating = BeatAsync();
    }

    /// <summary>Cancelled when the claim is another's.</summary>
    public CancellationToken Lost => _lost.Token;

    public static Heartbeat Start(IdempotencyCall call, long fence) => new(call, fence);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _beating.ConfigureAwait(false);
        _stop.Dispose();
        _lost.Dispose();
    }

    private async Task BeatAsync()
    {
        using var timer = new PeriodicTimer(_call.Options.Lease / 3, _call.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                if (!await ExtendAsync().ConfigureAwait(false))
                {
                    IdempotencyLog.ClaimLost(_call.Logger, _call.Key.Hash, _fence);
                    await _lost.CancelAsync().ConfigureAwait(false);
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The work is over.
        }
    }

    /// <summary>Whether the claim may still be ours.</summary>
    private async Task<bool> ExtendAsync()
    {
        try
        {
            var connection = await _connections.OpenAsync(_stop.Token).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var batch = new IdempotencyBatch(_call, connection);
                await using (batch.ConfigureAwait(false))
                {
                    batch.AddLimitWait(PatienceWithPhase);
                    batch.AddExtend(_fence);
                    return await batch.SendTakeAsync(before: 1, _stop.Token).ConfigureAwait(false) is not null;
                }
            }
        }
        catch (NpgsqlException exception)
        {
            // Every statement of the work asks for the claim again.
            if (exception.SqlState != PostgresErrorCodes.LockNotAvailable)
            {
                IdempotencyLog.NotExtended(_call.Logger, _call.Key.Hash, exception);
            }

            return true;
        }
    }
}
