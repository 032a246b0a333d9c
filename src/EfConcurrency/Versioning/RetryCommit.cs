using System.Data.Common;
using EfConcurrency.Postgres;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.Versioning;

/// <summary>The end of a unit: commit, settle a lost reply, and what follows the commit.</summary>
internal static class RetryCommit
{
    /// <summary>
    /// Commits. Returns only when the transaction is known to be committed.
    /// </summary>
    /// <param name="context">The unit's context.</param>
    /// <param name="transaction">The unit's transaction.</param>
    /// <param name="ticket">From the first save; null when the unit saved nothing through SaveChanges.</param>
    /// <param name="logger">Logger of the room.</param>
    public static async Task CommitAsync(DbContext context, IDbContextTransaction transaction, CommitTicket? ticket, ILogger logger)
    {
        // ExecuteUpdate and raw SQL don't pass the write envelope; they cost one more round trip here.
        ticket ??= await TicketIfAssignedAsync(context).ConfigureAwait(false);
        var failure = await SettledCommit.CommitAsync(context, transaction, ticket, TimeProvider.System, Asked).ConfigureAwait(false);
        if (failure is not null)
        {
            throw new AfterCommitException(failure);
        }

        void Asked(CommitStatus status)
        {
            var outcome = status switch { CommitStatus.Committed => "committed", CommitStatus.Aborted => "aborted", _ => "unknown" };
            VersioningMeter.CommitCheck(outcome);
            VersioningLog.CommitOutcomeChecked(logger, ticket!.TransactionId, outcome);
        }
    }

    /// <summary>Runs all callbacks, in order, also when one fails.</summary>
    public static async Task RunCallbacksAsync(IReadOnlyList<Func<CancellationToken, Task>> callbacks, ILogger logger, CancellationToken cancellationToken)
    {
        List<Exception>? failures = null;
        foreach (var callback in callbacks)
        {
            try
            {
                await callback(cancellationToken).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // Whatever a callback throws, the others belong to work that is committed.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                VersioningLog.AfterCommitCallbackFailed(logger, exception);
                (failures ??= []).Add(exception);
            }
        }

        if (failures is not null)
        {
            throw new AfterCommitException(failures.Count == 1 ? failures[0] : new AggregateException(failures));
        }
    }

    /// <summary>Whether a write that was sent may have happened in spite of the failure.</summary>
    public static bool SaysNothingAboutWrites(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is NpgsqlException)
            {
                return SettledCommit.SaysNothing(e);
            }
        }

        return false;
    }

    private static async Task<CommitTicket?> TicketIfAssignedAsync(DbContext context)
    {
        var command = ContextCommand.Create(context, ResilienceSql.TicketIfAssigned, []);
        await using (command.ConfigureAwait(false))
        {
            DbDataReader reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                return await reader.IsDBNullAsync(0, CancellationToken.None).ConfigureAwait(false) ? null : new(reader.GetString(0), reader.GetString(1));
            }
        }
    }
}
