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
    /// Commits. Takes no cancellation token: a commit must not be half done, and with synchronous replication a cancelled
    /// one reports success. Returns only when the transaction is known to be committed.
    /// </summary>
    /// <param name="context">The unit's context.</param>
    /// <param name="transaction">The unit's transaction.</param>
    /// <param name="ticket">From the first save; null when the unit saved nothing through SaveChanges.</param>
    /// <param name="logger">Logger of the room.</param>
    public static async Task CommitAsync(DbContext context, IDbContextTransaction transaction, CommitTicket? ticket, ILogger logger)
    {
        // ExecuteUpdate and raw SQL don't pass the write envelope; they cost one more round trip here.
        ticket ??= await TicketIfAssignedAsync(context).ConfigureAwait(false);
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (ticket is not null && IsAmbiguous(exception))
        {
            var status = await CommitOutcome.AskAsync(context, ticket, TimeProvider.System).ConfigureAwait(false);
            var outcome = status switch { CommitStatus.Committed => "committed", CommitStatus.Aborted => "aborted", _ => "unknown" };
            VersioningMeter.CommitCheck(outcome);
            VersioningLog.CommitOutcomeChecked(logger, ticket.TransactionId, outcome);
            switch (status)
            {
                case CommitStatus.Committed when exception is NpgsqlException:
                    return;
                case CommitStatus.Committed:
                    // Not the connection: an interceptor of the application, say, that ran after the commit.
                    throw new AfterCommitException(exception);
                case CommitStatus.Aborted:
                    throw;
                default:
                    throw new CommitOutcomeUnknownException(
                        $"The connection was lost while transaction {ticket.TransactionId} was being committed, and the server could not tell what became of it "
                        + "(it did not answer, or a failover has happened). The work may be done: look before running it again.",
                        ticket.TransactionId,
                        exception);
            }
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
                return IsAmbiguous(e);
            }
        }

        return false;
    }

    /// <summary>
    /// An error that the server reports about the commit means that it was rolled back; everything else says nothing, and nor does the
    /// last word of a server process that ends: FATAL, or PANIC, which is what an error after the commit record becomes.
    /// </summary>
    private static bool IsAmbiguous(Exception exception)
        => SqlStates.FindPostgresException(exception) is not { } error
            || error.InvariantSeverity is "FATAL" or "PANIC"
            || error.SqlState.StartsWith("08", StringComparison.Ordinal);

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
