using System.Net.Sockets;

namespace EfConcurrency.Testing;

/// <summary>Whether a broker answers: an open port alone does not say that it takes clients.</summary>
internal static class RabbitMqGreeting
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits for the answer until <paramref name="hasEnded"/> or patience is over.</summary>
    public static async Task<bool> IsGivenAsync(Uri broker, TimeSpan patience, Func<bool> hasEnded, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < patience && !hasEnded())
        {
            if (await IsGivenAsync(broker, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }

            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>The client names the protocol, the broker answers with the method Connection.Start on channel 0 (AMQP 0-9-1, 2.2.4).</summary>
    private static async Task<bool> IsGivenAsync(Uri broker, CancellationToken cancellationToken)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        attempt.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(broker.Host, broker.Port, attempt.Token).ConfigureAwait(false);
            var stream = client.GetStream();
            await stream.WriteAsync("AMQP\0\0\u0009\u0001"u8.ToArray(), attempt.Token).ConfigureAwait(false);
            var frame = new byte[3];
            await stream.ReadExactlyAsync(frame, attempt.Token).ConfigureAwait(false);
            return frame is [1, 0, 0];
        }
        catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
