using System.Diagnostics;
using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.RabbitMQ;

/// <summary>
/// Tries a delivery until it is done with. It is tried again in place, unanswered: its key waits behind it, so that nothing overtakes it, and other keys go on. Sent to a
/// delay queue and back it would come after its successors.
/// </summary>
internal sealed class DeliveryHandler<TContext>(
    string consumer, string queue, RabbitMqConsumerOptions options, IInboxProcessor<TContext> inbox, ILogger logger, TimeProvider time) : IDisposable
    where TContext : DbContext
{
    private readonly SemaphoreSlim _running = new(options.Concurrency);

    /// <summary>Returns whether the delivery is answered.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="answers">The channel it came from.</param>
    /// <param name="go">Cancelled when nothing more is to be begun: pauses end, what runs is finished.</param>
    /// <param name="run">Cancelled when what runs must end.</param>
    public async Task<bool> HandleAsync(Delivery delivery, IDeliveryAnswers answers, CancellationToken go, CancellationToken run)
    {
        if (delivery.Earlier >= options.MaxDeliveries)
        {
            return await BuryAsync(delivery, answers, "deliveries", delivery.Earlier, error: null, go).ConfigureAwait(false);
        }

        for (int tries = 1, counted = 1; ; tries++, counted++)
        {
            var result = await TryAsync(delivery, tries, go, run).ConfigureAwait(false);
            switch (result.Outcome)
            {
                case InboxOutcome.Handled or InboxOutcome.Duplicate:
                    await answers.AckAsync(delivery.Tag, CancellationToken.None).ConfigureAwait(false);
                    RabbitMqMeter.Answered(queue, Tag(result.Outcome));
                    return true;
                case InboxOutcome.Rejected:
                    return await BuryAsync(delivery, answers, "rejected", tries, result.Error, go).ConfigureAwait(false);
                case InboxOutcome.Failed when DatabaseOutage.IsOne(result.Error):
                    var wait = BackOff.Delay(options.RetryDelay, options.MaxRetryDelay, tries);
                    RabbitMqLog.DatabaseUnavailable(logger, consumer, delivery.Message.MessageId, wait.TotalSeconds, result.Error);
                    await Task.Delay(wait, time, go).ConfigureAwait(false);
                    counted--;
                    break;
                case InboxOutcome.Failed when counted >= options.MaxAttempts:
                    return await BuryAsync(delivery, answers, "attempts", counted, result.Error, go).ConfigureAwait(false);
                default:
                    var delay = BackOff.Delay(options.RetryDelay, options.MaxRetryDelay, counted);
                    RabbitMqLog.MessageFailed(logger, consumer, delivery.Message.MessageId, delivery.Message.Type, counted, delay.TotalSeconds, result.Error);
                    await Task.Delay(delay, time, go).ConfigureAwait(false);
                    break;
            }
        }
    }

    public void Dispose() => _running.Dispose();

    private static string Tag(InboxOutcome outcome) => outcome switch
    {
        InboxOutcome.Handled => "handled",
        InboxOutcome.Duplicate => "duplicate",
        InboxOutcome.Rejected => "rejected",
        _ => "failed",
    };

    private async Task<InboxResult> TryAsync(Delivery delivery, int tries, CancellationToken go, CancellationToken run)
    {
        if (delivery.Message.MessageId.Length == 0)
        {
            return new(InboxOutcome.Rejected, new InvalidOperationException("The message has neither a message-id nor a header ce-id: a duplicate of it could not be recognised."));
        }

        await _running.WaitAsync(go).ConfigureAwait(false);
        var started = time.GetTimestamp();
        var (outcome, error) = ("cancelled", (Exception?)null);
        using var activity = StartActivity(delivery.Message);
        try
        {
            var result = await ProcessAsync(delivery.Message with { Attempt = delivery.Earlier + tries }, run).ConfigureAwait(false);
            outcome = Tag(result.Outcome);
            error = result.Outcome is InboxOutcome.Failed or InboxOutcome.Rejected ? result.Error : null;
            return result;
        }
        finally
        {
            _running.Release();
            RabbitMqMeter.Processed(queue, time.GetElapsedTime(started), outcome, error);
            activity?.SetTag(RabbitMqMeter.Outcome, outcome);
            if (error is not null)
            {
                activity?.SetStatus(ActivityStatusCode.Error, error.Message).SetTag(RabbitMqMeter.ErrorType, error.GetType().FullName);
            }
        }
    }

    private async Task<InboxResult> ProcessAsync(InboundMessage message, CancellationToken run)
    {
        try
        {
            return await inbox.ProcessAsync(consumer, message, run).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !run.IsCancellationRequested)
        {
            return new(InboxOutcome.Failed, failure);
        }
    }

    /// <summary>A dead letter is published and confirmed before the delivery is answered: the broker's own dead-lettering may lose it, and can't say why.</summary>
    private async Task<bool> BuryAsync(Delivery delivery, IDeliveryAnswers answers, string reason, int attempts, Exception? error, CancellationToken go)
    {
        var letter = DeadLetter.Create(delivery, consumer, queue, reason, attempts, error);
        var address = options.DeadLetter ?? DeadLetter.DefaultAddress(queue);
        for (var tries = 1; ; tries++)
        {
            try
            {
                await answers.BuryAsync(delivery, letter, address, go).ConfigureAwait(false);
                RabbitMqLog.MessageDead(logger, consumer, delivery.Message.MessageId, delivery.Message.Type, attempts, reason, error);
                RabbitMqMeter.Answered(queue, "dead", reason);
                return true;
            }
            catch (Exception failure) when (!go.IsCancellationRequested)
            {
                var delay = BackOff.Delay(options.RetryDelay, options.MaxRetryDelay, tries);
                RabbitMqLog.DeadLetterNotPublished(logger, consumer, delivery.Message.MessageId, address.Exchange, address.RoutingKey, delay.TotalSeconds, failure);
                await Task.Delay(delay, time, go).ConfigureAwait(false);
            }
        }
    }

    private Activity? StartActivity(InboundMessage message)
    {
        _ = ActivityContext.TryParse(message.Headers.GetValueOrDefault(MessageHeaders.TraceParent), message.Headers.GetValueOrDefault(MessageHeaders.TraceState), isRemote: true, out var parent);
        return RabbitMqMeter.Activities.StartActivity(
            $"process {queue}",
            ActivityKind.Consumer,
            parent,
            [
                new(RabbitMqMeter.System, "rabbitmq"),
                new(RabbitMqMeter.OperationName, "process"),
                new(RabbitMqMeter.OperationType, "process"),
                new(RabbitMqMeter.Destination, queue),
                new("messaging.message.id", message.MessageId),
                new("messaging.consumer.group.name", consumer),
            ]);
    }
}
