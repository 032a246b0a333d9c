using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.Outbox;

/// <summary>
/// Gives the messages of the outbox to the handlers of one consumer in this process. Each consumer is a sink of its own, with its own progress,
/// retries and dead letters: what one fails on is not sent again to the others.
/// </summary>
internal sealed class InProcessTransport<TContext>(
    MessageConsumer consumer, InProcessTransportOptions options, HandlerCatalog<TContext> catalog, IInboxProcessor<TContext> inbox, IServiceScopeFactory scopes)
    : IOutboxTransport
    where TContext : DbContext
{
    public const string SinkPrefix = "handlers:";

    public string Sink => SinkPrefix + consumer.Name;

    public async ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
    {
        var failedKeys = new HashSet<string>(StringComparer.Ordinal);
        var mine = new List<int>();
        for (var i = 0; i < batch.Length; i++)
        {
            if (catalog.IsPassedOver(consumer, batch.Span[i].Type))
            {
                results.Span[i] = SendResult.Ok;
            }
            else
            {
                mine.Add(i);
            }
        }

        foreach (var slice in mine.Chunk(options.BatchSize))
        {
            await SendSliceAsync(slice, batch, results, failedKeys, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendSliceAsync(
        int[] slice, ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, HashSet<string> failedKeys, CancellationToken cancellationToken)
    {
        int[] open = [.. slice.Where(i => !IsFailed(batch.Span[i].Key))];
        if (open.Length > 1 && await SendTogetherAsync(open, batch, cancellationToken).ConfigureAwait(false))
        {
            foreach (var i in open)
            {
                results.Span[i] = SendResult.Ok;
            }

            return;
        }

        foreach (var i in open)
        {
            if (IsFailed(batch.Span[i].Key))
            {
                continue;
            }

            var result = await SendAsync(batch.Span[i], cancellationToken).ConfigureAwait(false);
            results.Span[i] = result;
            if (result.Status != SendStatus.Ok && batch.Span[i].Key is { } key)
            {
                failedKeys.Add(key);
            }
        }

        bool IsFailed(string? key) => key is not null && failedKeys.Contains(key);
    }

    private async Task<bool> SendTogetherAsync(int[] slice, ReadOnlyMemory<OutboxEnvelope> batch, CancellationToken cancellationToken)
    {
        InboundMessage[] messages = [.. slice.Select(i => Message(batch.Span[i]))];
        var result = await inbox.ProcessTogetherAsync(consumer.Name, messages, cancellationToken).ConfigureAwait(false);
        return result.Outcome is InboxOutcome.Handled or InboxOutcome.Duplicate;
    }

    private async Task<SendResult> SendAsync(OutboxEnvelope envelope, CancellationToken cancellationToken)
    {
        var result = await inbox.ProcessAsync(consumer.Name, Message(envelope), cancellationToken).ConfigureAwait(false);
        switch (result.Outcome)
        {
            case InboxOutcome.Handled or InboxOutcome.Duplicate:
                return SendResult.Ok;
            case InboxOutcome.Rejected when result.Error is MessageHandlerNotFoundException:
                // A name without a contract here: while a newer version is rolled out, another process may know it.
                return new(SendStatus.Retry, Error: result.Error);
            case InboxOutcome.Rejected:
                return new(SendStatus.Reject, Error: result.Error);
            default:
                await ThrowIfDatabaseIsDownAsync(result.Error!, cancellationToken).ConfigureAwait(false);
                return new(SendStatus.Retry, Error: result.Error);
        }
    }

    /// <summary>
    /// Without its database no message can be handled, and none of them is to blame. A message that makes the server cut the connection is, or it
    /// would hold up all others for ever; so the database is asked.
    /// </summary>
    private async Task ThrowIfDatabaseIsDownAsync(Exception error, CancellationToken cancellationToken)
    {
        if (ReplayClassifier.Classify(error, new HashSet<string>()) != ReplayVerdict.ConnectionLost)
        {
            return;
        }

        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            if (!await scope.ServiceProvider.GetRequiredService<TContext>().Database.CanConnectAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new InvalidOperationException($"The database in which consumer '{consumer.Name}' handles messages can't be reached: {error.Message}", error);
            }
        }
    }

    private static InboundMessage Message(OutboxEnvelope envelope)
        => new(envelope.MessageId.ToString(), envelope.Type, envelope.Key, envelope.Headers, envelope.Payload, envelope.Attempt);
}
