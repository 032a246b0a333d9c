using EfConcurrency.Inbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace EfConcurrency.RabbitMQ;

/// <summary>Receives from a queue until the process stops, over as many connections as it takes.</summary>
internal sealed class RabbitMqConsumer<TContext> : BackgroundService
    where TContext : DbContext
{
    /// <summary>One delivery after the other is handed over, so that their order is known.</summary>
    private static readonly CreateChannelOptions ChannelOptions = new(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false, consumerDispatchConcurrency: 1);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _consumer;
    private readonly string _queue;
    private readonly RabbitMqConsumerOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly RabbitMqConnection _connection;
    private readonly DeliveryHandler<TContext> _handler;
    private readonly CancellationTokenSource _abort = new();

    public RabbitMqConsumer(string consumer, string queue, RabbitMqConsumerOptions options, IInboxProcessor<TContext> inbox, RabbitMqStatus status, ILogger logger, TimeProvider time)
    {
        (_consumer, _queue, _options, _logger, _time) = (consumer, queue, options, logger, time);
        _connection = new($"consumer {consumer}", options.Connection, options.Topology, status, logger, time);
        _handler = new(consumer, queue, options, inbox, logger, time);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (cancellationToken.IsCancellationRequested)
        {
            // The host waits no longer for the handlers that run. (Not by a registration on its token: that is called last, when the wait above and all after it is over.)
            await _abort.CancelAsync().ConfigureAwait(false);
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _handler.Dispose();
        _abort.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host starts its services one after the other, and waits for this method's first await.
        await Task.Yield();
        try
        {
            for (var failures = 0; !stoppingToken.IsCancellationRequested;)
            {
                var started = _time.GetTimestamp();
                var pause = await ReceiveAsync(failures + 1, stoppingToken).ConfigureAwait(false);
                failures = _time.GetElapsedTime(started) > _options.Connection.MaxReconnectDelay ? 0 : failures + 1;
                await Task.Delay(pause, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>One session; returns how long to wait before the next.</summary>
    private async Task<TimeSpan> ReceiveAsync(int attempt, CancellationToken stoppingToken)
    {
        var pause = BackOff.Delay(_options.Connection.MinReconnectDelay, _options.Connection.MaxReconnectDelay, attempt);
        try
        {
            var connection = await _connection.GetAsync(stoppingToken).ConfigureAwait(false);
            var why = await ReceiveAsync(connection, stoppingToken).ConfigureAwait(false);
            if (why is not null && connection.IsOpen)
            {
                RabbitMqLog.ChannelClosed(_logger, _connection.Name, why);
            }

            // A connection that ended sets a pause of its own.
            return connection.IsOpen ? pause : TimeSpan.Zero;
        }
        catch (RabbitMqUnavailableException down)
        {
            return down.RetryAfter;
        }
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
        {
            RabbitMqLog.ConsumerFailed(_logger, _consumer, _queue, pause.TotalSeconds, failure);
            return pause;
        }
        catch (Exception)
        {
            return TimeSpan.Zero;
        }
    }

    private async Task<string?> ReceiveAsync(IConnection connection, CancellationToken stoppingToken)
    {
        var channel = await connection.CreateChannelAsync(ChannelOptions, stoppingToken).ConfigureAwait(false);
        try
        {
            using var session = new ConsumerSession<TContext>(connection, channel, _consumer, _queue, _handler, _logger, stoppingToken, _abort.Token);
            var why = await session.RunAsync(_options.Prefetch, Patience, stoppingToken).ConfigureAwait(false);
            await channel.AbortAsync(CancellationToken.None).WaitAsync(Patience, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return why;
        }
        finally
        {
            channel.Dispose();
        }
    }
}
