using System.Diagnostics;
using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Exceptions;

namespace EfConcurrency.RabbitMQ;

/// <summary>Publishes what the outbox dispatches. A message counts as sent when the broker has confirmed it, and for a message that is routed to no queue it never does.</summary>
internal sealed class RabbitMqTransport : IOutboxTransport, IAsyncDisposable
{
    private const int MaxLinks = 128;

    private readonly RabbitMqTransportOptions _options;
    private readonly RabbitMqConnection _connection;
    private readonly PublishChannels _channels;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    public RabbitMqTransport(RabbitMqTransportOptions options, RabbitMqStatus status, ILogger logger, TimeProvider time)
    {
        _options = options;
        _logger = logger;
        _time = time;
        _connection = new($"transport {options.Sink}", options.Connection, options.Topology, status, logger, time);
        _channels = new(_connection, options.MaxChannels);
    }

    public string Sink => _options.Sink;

    public async ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
    {
        if (batch.IsEmpty)
        {
            return;
        }

        using var activity = StartActivity(batch.Span);
        var started = _time.GetTimestamp();
        string? error = null;
        try
        {
            await SendSliceAsync(new(batch, results, _options), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            error = failure.GetType().FullName;
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message).SetTag(RabbitMqMeter.ErrorType, error);
            throw;
        }
        finally
        {
            RabbitMqMeter.PublishedSlice(_options.Exchange, _time.GetElapsedTime(started), error);
            Report(batch.Span, results.Span);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync().ConfigureAwait(false);
        _channels.Dispose();
    }

    /// <summary>Whether the broker closed the channel over one message, not knowing or telling which.</summary>
    private static bool IsOverOneMessage(Exception failure)
        => failure is OperationInterruptedException { ShutdownReason.ReplyCode: 311 or 313 or 403 or 404 or 405 or 406 } || CrossedPublish.Is(failure);

    private async Task SendSliceAsync(PublishSlice slice, CancellationToken cancellationToken)
    {
        var failure = await SendRangeAsync(slice, .., cancellationToken).ConfigureAwait(false);
        if (failure is not null && IsOverOneMessage(failure))
        {
            RabbitMqLog.ChannelClosed(_logger, _connection.Name, failure.Message);
            failure = await SendOneByOneAsync(slice, cancellationToken).ConfigureAwait(false);
        }

        if (failure is not null)
        {
            throw _connection.Unavailable("broke while messages were published", failure);
        }
    }

    /// <summary>Finds the message that a channel was closed over: each gets a channel to itself until it is answered. Some were published before; consumers see them twice.</summary>
    private async Task<Exception?> SendOneByOneAsync(PublishSlice slice, CancellationToken cancellationToken)
    {
        for (var i = 0; i < slice.Count; i++)
        {
            if (!slice.IsOpen(i))
            {
                continue;
            }

            Exception? failure;
            do
            {
                // Alone on its channel a message crosses nothing: the connection ended over another slice.
                failure = await SendRangeAsync(slice, i..(i + 1), cancellationToken).ConfigureAwait(false);
            }
            while (CrossedPublish.Is(failure));

            if (failure is not null && !IsOverOneMessage(failure))
            {
                return failure;
            }

            if (failure is OperationInterruptedException { ShutdownReason: { } reason })
            {
                Refuse(slice, i, reason.ReplyCode, reason.ReplyText, failure);
            }
        }

        return null;
    }

    /// <summary>406 is about the message itself (its size); a missing exchange or permission can be mended while it waits.</summary>
    private void Refuse(PublishSlice slice, int index, ushort code, string text, Exception failure)
    {
        var envelope = slice[index];
        var address = _options.Route?.Invoke(envelope) ?? new(_options.Exchange, envelope.Topic);
        var (status, refusal) = code == 406 ? (SendStatus.Reject, RabbitMqRefusal.TooLarge) : (SendStatus.Retry, RabbitMqRefusal.Address);
        slice.Refuse(index, status, new(envelope.MessageId, refusal, address, $"RabbitMQ closed the channel over it: {code} {text}.", failure));
    }

    private async Task<Exception?> SendRangeAsync(PublishSlice slice, Range range, CancellationToken cancellationToken)
    {
        var channel = await _channels.RentAsync(cancellationToken).ConfigureAwait(false);
        var isSound = false;
        try
        {
            var failure = await slice.SendAsync(channel.Channel, channel.Connection.FrameMax, range, cancellationToken).ConfigureAwait(false);
            isSound = failure is null;
            if (failure is TimeoutException)
            {
                _connection.Drop(channel.Connection, failure);
            }

            return failure;
        }
        finally
        {
            _channels.Return(channel, isSound);
        }
    }

    /// <summary>One span a slice, linked to those in which its messages were enqueued.</summary>
    private Activity? StartActivity(ReadOnlySpan<OutboxEnvelope> batch)
    {
        if (!RabbitMqMeter.Activities.HasListeners())
        {
            return null;
        }

        var links = new List<ActivityLink>();
        foreach (var message in batch[..Math.Min(batch.Length, MaxLinks)])
        {
            if (ActivityContext.TryParse(message.Headers.GetValueOrDefault(MessageHeaders.TraceParent), message.Headers.GetValueOrDefault(MessageHeaders.TraceState), out var context))
            {
                links.Add(new(context));
            }
        }

        return RabbitMqMeter.Activities.StartActivity(
            $"send {(_options.Exchange.Length > 0 ? _options.Exchange : "amq.default")}",
            ActivityKind.Client,
            parentContext: default,
            [
                new(RabbitMqMeter.System, "rabbitmq"),
                new(RabbitMqMeter.OperationName, "send"),
                new(RabbitMqMeter.OperationType, "send"),
                new(RabbitMqMeter.Destination, _options.Exchange),
                new("messaging.batch.message_count", batch.Length),
            ],
            links);
    }

    private void Report(ReadOnlySpan<OutboxEnvelope> batch, ReadOnlySpan<SendResult> results)
    {
        for (var i = 0; i < results.Length; i++)
        {
            var refused = results[i].Error as RabbitMqPublishException;
            if (refused is not null)
            {
                RabbitMqLog.MessageRefused(_logger, _connection.Name, batch[i].MessageId, refused.Refusal, refused);
            }

            if (results[i].Status != SendStatus.NotSent)
            {
                RabbitMqMeter.Published(_options.Exchange, refused?.Refusal.ToString());
            }
        }
    }
}
