using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace EfConcurrency.RabbitMQ;

/// <summary>
/// What is received on one channel, from its opening to its end. Deliveries of one key are handled one after the other, in the order in which they came. When the channel ends
/// nothing more is begun: the broker delivers again what was not acknowledged, and the inbox knows what was done.
/// </summary>
internal sealed class ConsumerSession<TContext> : AsyncDefaultBasicConsumer, IDeliveryAnswers, IDisposable
    where TContext : DbContext
{
    private static readonly TimeSpan BurialPatience = TimeSpan.FromSeconds(30);

    private readonly DeliveryHandler<TContext> _handler;
    private readonly ILogger _logger;
    private readonly string _consumer;
    private readonly string _queue;
    private readonly IConnection _connection;
    private readonly ConcurrentDictionary<Task<bool>, bool> _inFlight = new();
    private readonly Dictionary<string, Task<bool>> _lastOfKey = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenSource _go;
    private readonly CancellationTokenSource _run;
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _oneBurial = new(1);
    private IChannel? _burials;

    /// <param name="connection">The connection.</param>
    /// <param name="channel">A channel of it.</param>
    /// <param name="consumer">The consumer's name.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="handler">What handles a delivery.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="stopping">The process stops: nothing more is begun.</param>
    /// <param name="abort">It can wait no longer for what runs.</param>
    public ConsumerSession(
        IConnection connection, IChannel channel, string consumer, string queue, DeliveryHandler<TContext> handler, ILogger logger, CancellationToken stopping, CancellationToken abort)
        : base(channel)
    {
        (_connection, _consumer, _queue, _handler, _logger) = (connection, consumer, queue, handler, logger);
        _go = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, stopping);
        _run = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, abort);
    }

    /// <summary>Receives until the process stops, or the channel ends; returns why it ended, or null.</summary>
    public async Task<string?> RunAsync(ushort prefetch, TimeSpan patience, CancellationToken stopping)
    {
        await Channel.BasicQosAsync(prefetchSize: 0, prefetch, global: false, stopping).ConfigureAwait(false);
        var tag = await Channel.BasicConsumeAsync(_queue, autoAck: false, $"{_consumer}-{Guid.NewGuid():n}", noLocal: false, exclusive: false, arguments: null, this, stopping).ConfigureAwait(false);
        RabbitMqLog.ConsumerStarted(_logger, _consumer, _queue);

        await ((Task)_ended.Task).WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_ended.Task.IsCompleted)
        {
            // What is still on its way to us is not begun any more; what runs is finished and acknowledged.
            await Channel.BasicCancelAsync(tag, noWait: false, CancellationToken.None).WaitAsync(patience, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAll((IEnumerable<Task>)_inFlight.Keys).WaitAsync(_run.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // In the same process, the next session does not begin while handlers of this one run: they have been cancelled. One that ignores that is left behind.
        await Task.WhenAll((IEnumerable<Task>)_inFlight.Keys).WaitAsync(patience, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_inFlight.Keys.Count(t => !t.IsCompleted) is > 0 and var running)
        {
            RabbitMqLog.HandlersStillRunning(_logger, _consumer, running);
        }

        return _ended.Task.IsCompleted ? await _ended.Task.ConfigureAwait(false) : null;
    }

    public override Task HandleBasicDeliverAsync(
        string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
    {
        // Called for one delivery after the other: the order in which tasks are chained is the order of the queue.
        var delivery = Delivery.Create(deliveryTag, properties, body.Span);
        var key = delivery.Message.Key;
        lock (_lastOfKey)
        {
            var task = HandleAsync(delivery, key is null ? null : _lastOfKey.GetValueOrDefault(key));
            _inFlight[task] = true;
            if (key is not null)
            {
                _lastOfKey[key] = task;
            }

            _ = ForgetAsync(task, key);
        }

        return Task.CompletedTask;
    }

    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) => EndAsync("the broker cancelled the consumer: the queue was deleted, or moved");

    public override Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return EndAsync($"{reason.ReplyCode} {reason.ReplyText}");
    }

    public Task AckAsync(ulong tag, CancellationToken cancellationToken) => Channel.BasicAckAsync(tag, multiple: false, cancellationToken).AsTask();

    public async Task BuryAsync(Delivery delivery, BasicProperties letter, RabbitMqAddress address, CancellationToken cancellationToken)
    {
        await _oneBurial.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_burials is not { IsOpen: true })
            {
                _burials = await _connection.CreateChannelAsync(new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken).ConfigureAwait(false);
            }

            if (!HeaderFrame.Fits((Dictionary<string, object?>)letter.Headers!, _connection.FrameMax))
            {
                letter.Headers!.Remove(RabbitMqHeaders.DeadError);
            }

            // One at a time, and without a token, for the reason told in PublishSlice.
            var publishing = _burials.BasicPublishAsync(address.Exchange, address.RoutingKey, mandatory: true, letter, delivery.Message.Payload, CancellationToken.None).AsTask();
            await publishing.WaitAsync(BurialPatience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not PublishException)
        {
            _burials?.Dispose();
            _burials = null;
            throw;
        }
        finally
        {
            _oneBurial.Release();
        }

        await AckAsync(delivery.Tag, CancellationToken.None).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _burials?.Dispose();
        _go.Dispose();
        _run.Dispose();
        _over.Dispose();
        _oneBurial.Dispose();
    }

    private async Task<bool> HandleAsync(Delivery delivery, Task<bool>? before)
    {
        await Task.Yield();
        RabbitMqMeter.InProcess(_queue, 1);
        try
        {
            return (before is null || await before.ConfigureAwait(false))
                && !_go.IsCancellationRequested
                && await _handler.HandleAsync(delivery, this, _go.Token, _run.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // Not answered: the broker delivers it again, before what comes after it. What nobody expected ends the session, so that its key does not wait for ever.
            if (!_go.IsCancellationRequested)
            {
                await EndAsync($"message {delivery.Message.MessageId} could not be answered: {failure.Message}").ConfigureAwait(false);
            }

            return false;
        }
        finally
        {
            RabbitMqMeter.InProcess(_queue, -1);
        }
    }

    private async Task ForgetAsync(Task<bool> task, string? key)
    {
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _inFlight.TryRemove(task, out _);
        lock (_lastOfKey)
        {
            if (key is not null && _lastOfKey.GetValueOrDefault(key) == task && task is { IsCompletedSuccessfully: true, Result: true })
            {
                _lastOfKey.Remove(key);
            }
        }
    }

    private async Task EndAsync(string why)
    {
        _ended.TrySetResult(why);
        await _over.CancelAsync().ConfigureAwait(false);
    }
}
