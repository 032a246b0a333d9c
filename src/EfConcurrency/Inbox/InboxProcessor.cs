using EfConcurrency.Messaging;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Inbox;

/// <inheritdoc cref="IInboxProcessor{TContext}"/>
internal sealed class InboxProcessor<TContext>(IServiceScopeFactory scopes, HandlerCatalog<TContext> catalog, ILoggerFactory loggers) : IInboxProcessor<TContext>
    where TContext : DbContext
{
    private readonly ILogger _logger = loggers.CreateLogger(InboxLog.Category);

    public Task<InboxResult> ProcessAsync(string consumer, InboundMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(consumer);
        ArgumentNullException.ThrowIfNull(message);
        return ObservedAsync(consumer, message, cancellationToken);
    }

    public async Task<InboxResult> ProcessTogetherAsync(string consumer, IReadOnlyList<InboundMessage> messages, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(consumer);
        ArgumentNullException.ThrowIfNull(messages);
        if (messages.Count == 0)
        {
            return new(InboxOutcome.Duplicate);
        }

        using var report = InboxReport.Start(consumer, messages);
        try
        {
            return report.Ended(await HandleAsync(consumer, messages, cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (AfterCommitException exception)
        {
            return report.Ended([.. messages.Select(_ => true)]) with { Error = exception };
        }
#pragma warning disable CA1031 // Whatever it is, each message will be handled by itself, and tell there.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            report.Undone();
            InboxLog.BatchUndone(_logger, messages.Count, consumer, exception.Message);
            return new(IsFinal(exception) ? InboxOutcome.Rejected : InboxOutcome.Failed, exception);
        }
    }

    private async Task<InboxResult> ObservedAsync(string consumer, InboundMessage message, CancellationToken cancellationToken)
    {
        using var report = InboxReport.Start(consumer, [message]);
        try
        {
            var isNew = await HandleAsync(consumer, [message], cancellationToken).ConfigureAwait(false);
            if (!isNew[0])
            {
                InboxLog.Duplicate(_logger, consumer, message.MessageId);
            }

            return report.Ended(isNew);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (AfterCommitException exception)
        {
            return report.Ended([true]) with { Error = exception };
        }
#pragma warning disable CA1031 // What one message fails with must not end the transport.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return report.Failed(_logger, message, IsFinal(exception) ? InboxOutcome.Rejected : InboxOutcome.Failed, exception);
        }
    }

    private Task<bool[]> HandleAsync(string consumer, IReadOnlyList<InboundMessage> messages, CancellationToken cancellationToken)
    {
        var known = catalog.Consumer(consumer);
        InboxDelivery[] deliveries = [.. messages.Select(m => Delivery(known, m))];
        return new InboxUnit<TContext>(scopes, known, deliveries, _logger).RunAsync(cancellationToken);
    }

    private InboxDelivery Delivery(MessageConsumer consumer, InboundMessage message)
    {
        InboxKey key;
        try
        {
            key = InboxKey.Of(message.MessageId);
        }
        catch (ArgumentException exception)
        {
            throw new MessageRejectedException($"A message '{message.Type}' for consumer '{consumer.Name}' has an id by which it can't be recognised: {exception.Message}", exception);
        }

        var (contract, handler) = catalog.Find(consumer, message.Type);
        return new(message, key, contract, handler);
    }

    /// <summary>Whether a further delivery would end alike.</summary>
    private static bool IsFinal(Exception exception)
        => exception is MessageRejectedException or MessageUnreadableException or MessageHandlerNotFoundException or InboxMessageOutsideWindowException;
}
