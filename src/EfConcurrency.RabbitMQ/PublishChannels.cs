using System.Collections.Concurrent;
using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>
/// Channels with confirmations, each used by one slice at a time. Without the client's rate limiter: it delays each message by itself, up to a second, and so lets
/// later ones overtake.
/// </summary>
internal sealed class PublishChannels(RabbitMqConnection connection, int max) : IDisposable
{
    private static readonly CreateChannelOptions Options = new(
        publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, outstandingPublisherConfirmationsRateLimiter: null);

    private readonly ConcurrentBag<PublishChannel> _idle = [];
    private readonly SemaphoreSlim _slots = new(max);

    /// <summary>An open channel for the caller alone.</summary>
    /// <exception cref="RabbitMqUnavailableException">There is no connection.</exception>
    public async ValueTask<PublishChannel> RentAsync(CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            try
            {
                return await OpenAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (RabbitMqUnavailableException unavailable) when (CrossedPublish.Is(unavailable.InnerException))
            {
                // The broker is well; another channel's end took this connection with it.
                return await OpenAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            _slots.Release();
            throw;
        }
    }

    /// <summary>A channel on which anything but a confirmation, a refusal or a return came back is not used again.</summary>
    public void Return(PublishChannel channel, bool isSound)
    {
        if (isSound && channel.Channel.IsOpen)
        {
            _idle.Add(channel);
        }
        else
        {
            Discard(channel);
        }

        _slots.Release();
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>Closing waits for the broker; nobody waits for that.</summary>
    private static void Discard(PublishChannel channel) => _ = DiscardAsync(channel.Channel);

    private static async Task DiscardAsync(IChannel channel)
    {
        await channel.AbortAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        channel.Dispose();
    }

    private async Task<PublishChannel> OpenAsync(CancellationToken cancellationToken)
    {
        var open = await connection.GetAsync(cancellationToken).ConfigureAwait(false);
        while (_idle.TryTake(out var idle))
        {
            if (idle.Channel.IsOpen && ReferenceEquals(idle.Connection, open))
            {
                return idle;
            }

            Discard(idle);
        }

        return new(open, await CreateAsync(open, cancellationToken).ConfigureAwait(false));
    }

    private async Task<IChannel> CreateAsync(IConnection open, CancellationToken cancellationToken)
    {
        try
        {
            return await open.CreateChannelAsync(Options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            if (open.IsOpen)
            {
                connection.Drop(open, failure);
            }

            throw connection.Unavailable("gave no channel", failure);
        }
    }
}
