using EfConcurrency.Messaging;
using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Inbox;

/// <summary>
/// Messages of one consumer that are handled together: one scope, one transaction, one save. It runs as a unit of RetryOnConflictAsync, which
/// runs it again after a conflict, refuses to commit what an error has aborted, and settles a commit whose reply was lost.
/// </summary>
internal sealed class InboxUnit<TContext>(IServiceScopeFactory scopes, MessageConsumer consumer, IReadOnlyList<InboxDelivery> deliveries, ILogger logger)
    where TContext : DbContext
{
    /// <summary>How often an unknown outcome is answered by running again. Each time, the server was asked for up to half a minute.</summary>
    private const int MaxRuns = 3;

    private readonly HandlerScope<TContext> _scope = new(scopes);

    /// <returns>For each message whether it was handled now; false: before.</returns>
    public async Task<bool[]> RunAsync(CancellationToken cancellationToken)
    {
        for (var run = 1; ; run++)
        {
            try
            {
                var isNew = await RunOnceAsync(cancellationToken).ConfigureAwait(false);
                return run == 1 ? isNew : [.. isNew.Select(_ => true)];
            }
            catch (CommitOutcomeUnknownException unknown) when (run < MaxRuns && !cancellationToken.IsCancellationRequested)
            {
                // Either the rows of the inbox are there, and tell now that all is done; or nothing is there.
                InboxLog.OutcomeUnknown(logger, consumer.Name, deliveries[0].Message.MessageId, unknown);
            }
        }
    }

    private async Task<bool[]> RunOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new RetryUnit<TContext, bool[]>(_scope, WorkAsync, deliveries[0].Handler.Method, consumer.Options.Retry)
                .RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (InboxDuplicateException) when (deliveries.Count == 1)
        {
            return [false];
        }
    }

    private async Task<bool[]> WorkAsync(TContext context, CancellationToken cancellationToken)
    {
        var isNew = await AcceptAsync(ContextInbox.Of(context), cancellationToken).ConfigureAwait(false);
        var serializer = context.GetService<MessageContracts>().Serializer;
        for (var i = 0; i < deliveries.Count; i++)
        {
            if (isNew[i])
            {
                await deliveries[i].HandleAsync(_scope.Services, consumer.Name, serializer, cancellationToken).ConfigureAwait(false);
            }
        }

        // After a save that failed and whose exception the handler kept to itself, the unit ends with that exception.
        if (context.GetService<RetryUnitState>().FailedSave is null)
        {
            await context.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        }

        return isNew;
    }

    private async Task<bool[]> AcceptAsync(ContextInbox inbox, CancellationToken cancellationToken)
    {
        if (consumer.Options.Retry.Transaction == ConflictRetryTransaction.PerUnit)
        {
            return await inbox.TryAcceptAsync(consumer.Name, [.. deliveries.Select(d => d.Key)], cancellationToken).ConfigureAwait(false);
        }

        foreach (var delivery in deliveries)
        {
            inbox.AcceptWithNextSave(consumer.Name, delivery.Key);
        }

        return [.. deliveries.Select(_ => true)];
    }
}
