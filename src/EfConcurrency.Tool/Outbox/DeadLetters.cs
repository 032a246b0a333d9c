using EfConcurrency.Outbox;
using EfConcurrency.Tool.Database;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Outbox;

/// <summary>The dead letters that a change of many means: those that were there when it was planned, and none that dies before it is confirmed.</summary>
internal static class DeadLetters
{
    /// <param name="database">The database.</param>
    /// <param name="sink">Name of the transport.</param>
    /// <param name="from">Enqueued at or after.</param>
    /// <param name="until">Enqueued before.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>Their ids in the log.</returns>
    public static Task<long[]> FindAsync(OperatorDatabase database, string sink, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
        => Dead(database, sink).Where(p => p.CreatedAt >= from && p.CreatedAt < until).Select(p => p.Id).ToArrayAsync(cancellationToken);

    /// <summary>Those of them that still are dead letters.</summary>
    public static IQueryable<OutboxPending> Of(OperatorDatabase database, string sink, long[] ids) => Dead(database, sink).Where(p => ids.Contains(p.Id));

    private static IQueryable<OutboxPending> Dead(OperatorDatabase database, string sink)
        => database.Context.Set<OutboxPending>().Where(p => p.Sink == sink && p.State == OutboxPendingState.Dead);
}
