using EfConcurrency.Outbox;
using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

/// <summary>How many dead letters a change of many would meet.</summary>
internal static class DeadLetters
{
    /// <param name="database">The database.</param>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="from">Enqueued at or after.</param>
    /// <param name="until">Enqueued before.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public static Task<int> CountAsync(OperatorDatabase database, string sink, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
        => database.Context.Set<OutboxPending>()
            .CountAsync(p => p.Sink == sink && p.State == OutboxPendingState.Dead && p.CreatedAt >= from && p.CreatedAt < until, cancellationToken);
}
