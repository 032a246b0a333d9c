using EfConcurrency.Outbox;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace EfConcurrency.RabbitMQ;

/// <summary>
/// One slice on its way. Messages are started in order and confirmed in any, but of one key the next is sent only when the one before it is confirmed: a broker may refuse
/// a message (a full queue) and take the next, and what was overtaken can't be put right by sending it again.
/// </summary>
internal sealed class PublishSlice(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, RabbitMqTransportOptions options)
{
    private static readonly Task<bool> Failed = Task.FromResult(false);

    private Exception? _failure;

    public int Count => batch.Length;

    public OutboxEnvelope this[int index] => batch.Span[index];

    /// <summary>Whether the message, and all before it of its key, may still be sent.</summary>
    public bool IsOpen(int index)
    {
        var messages = batch.Span;
        var answers = results.Span;
        for (var i = 0; i < index; i++)
        {
            if (messages[i].Key is { } key && key == messages[index].Key && answers[i].Status != SendStatus.Ok)
            {
                return false;
            }
        }

        return answers[index].Status == SendStatus.NotSent;
    }

    public void Refuse(int index, SendStatus status, RabbitMqPublishException error) => results.Span[index] = new(status, Error: error);

    /// <summary>Sends the messages of a range that are not answered yet.</summary>
    /// <returns>What ended the channel; null when every message was answered, or waits behind one of its key that failed.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; answers so far are filled in.</exception>
    public async Task<Exception?> SendAsync(IChannel channel, uint frameMax, Range range, CancellationToken cancellationToken)
    {
        _failure = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(options.ConfirmTimeout);
        using var window = new SemaphoreSlim(options.MaxOutstandingConfirms);
        var lastOfKey = new Dictionary<string, Task<bool>>(StringComparer.Ordinal);
        var sending = new List<Task<bool>>();
        var (start, length) = range.GetOffsetAndLength(Count);
        for (var i = start; i < start + length && !stop.IsCancellationRequested; i++)
        {
            var (message, refused) = OutgoingMessage.Create(this[i], options, frameMax);
            var before = this[i].Key is { } key ? lastOfKey.GetValueOrDefault(key) : null;
            if (message is null && before is null or { IsCompletedSuccessfully: true, Result: true })
            {
                Refuse(i, SendStatus.Reject, refused!);
            }

            if (message is not null)
            {
                await window.WaitAsync(stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (stop.IsCancellationRequested)
                {
                    break;
                }
            }

            var sent = message is null ? Failed : SendAsync(channel, i, message, before, window, stop);
            sending.Add(sent);
            if (this[i].Key is { } own)
            {
                lastOfKey[own] = sent;
            }
        }

        await Task.WhenAll(sending).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return stop.IsCancellationRequested
            ? new TimeoutException($"No confirmation came for {options.ConfirmTimeout.TotalSeconds} s. The broker may lack memory or disk space (it blocks publishers then), or hang.")
            : _failure;
    }

    private static bool IsInexpressible(Exception failure) => failure is WireFormattingException or ArgumentException;

    private async Task<bool> SendAsync(IChannel channel, int index, OutgoingMessage message, Task<bool>? before, SemaphoreSlim window, CancellationTokenSource stop)
    {
        try
        {
            if ((before is not null && !await before.ConfigureAwait(false)) || stop.IsCancellationRequested || _failure is not null)
            {
                return false;
            }

            // Never with a token: cancelled between two of its steps, the client (7.1.2) takes back a sequence number that is on its way, and the next message gets the
            // confirmation of this one. We stop waiting instead, and the channel is not used again.
            var publishing = channel.BasicPublishAsync(
                message.Address.Exchange, message.Address.RoutingKey, mandatory: true, message.Properties, message.Envelope.Payload, CancellationToken.None).AsTask();
            await publishing.WaitAsync(stop.Token).ConfigureAwait(false);
            results.Span[index] = SendResult.Ok;
            stop.CancelAfter(options.ConfirmTimeout);
            return true;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (PublishException failure) when (failure.IsReturn)
        {
            Refuse(index, SendStatus.Reject, Error(message, RabbitMqRefusal.Unroutable, "no queue is bound for it. Bind one, or have the topology declare it.", failure));
        }
        catch (PublishException failure)
        {
            Refuse(index, SendStatus.Retry, Error(message, RabbitMqRefusal.Nacked, "the broker refused it: a queue is full, or failed.", failure));
        }
        catch (Exception failure) when (IsInexpressible(failure))
        {
            Refuse(index, SendStatus.Reject, Error(message, RabbitMqRefusal.Inexpressible, failure.Message, failure));
        }
        catch (Exception failure)
        {
            _failure ??= failure;
        }
        finally
        {
            window.Release();
        }

        return false;
    }

    private static RabbitMqPublishException Error(OutgoingMessage message, RabbitMqRefusal refusal, string what, Exception failure)
        => new(message.Envelope.MessageId, refusal, message.Address, what, failure);
}
