using EfConcurrency.Postgres;
using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>
/// The commit of a transaction of ours. A retrying strategy takes a lost reply for a failure and would do the work again, so it is settled first.
/// </summary>
internal static class SettledCommit
{
    /// <summary>Takes no cancellation token: a commit must not be half done. Returns only when the transaction is known to be committed.</summary>
    public static async Task CommitAsync(DbContext context, IDbContextTransaction transaction, CommitTicket? ticket)
    {
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (NpgsqlException exception) when (ticket is not null && SaysNothing(exception))
        {
            switch (await CommitOutcome.AskAsync(context, ticket, AdvisoryLockState.Of(context).Time).ConfigureAwait(false))
            {
                case CommitStatus.Committed:
                    return;
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

    /// <summary>An error that the server reports about the commit means that it was rolled back; a lost connection and the last word of a server process that ends say nothing.</summary>
    private static bool SaysNothing(NpgsqlException exception)
        => SqlStates.FindPostgresException(exception) is not { } error
            || error.InvariantSeverity is "FATAL" or "PANIC"
            || error.SqlState.StartsWith("08", StringComparison.Ordinal);
}
