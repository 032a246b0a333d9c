using EfConcurrency.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Resilience;

/// <summary>
/// The commit of a transaction of ours. Who repeats work takes a lost reply for a failure and would do the work again, so it is settled first.
/// </summary>
internal static class SettledCommit
{
    /// <summary>
    /// Commits. Takes no cancellation token: a commit must not be half done.
    /// Returns only when the transaction is known to be committed, with synchronous replication on the standby too.
    /// </summary>
    /// <param name="context">The context.</param>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="ticket">What to ask the server with; null: nothing can be settled.</param>
    /// <param name="time">Measures how long an answer is waited for.</param>
    /// <param name="asked">Is told what became of a commit whose reply was lost.</param>
    /// <returns>What failed after the commit, other than the connection (an interceptor of the application, say); else null.</returns>
    public static async Task<Exception?> CommitAsync(DbContext context, IDbContextTransaction transaction, CommitTicket? ticket, TimeProvider time, Action<CommitStatus>? asked = null)
    {
        try
        {
            await ConfirmedCommit.SendAsync(transaction, ticket).ConfigureAwait(false);
            return null;
        }
        catch (CommitOutcomeUnknownException) when (ticket is not null)
        {
            asked?.Invoke(CommitStatus.Unknown);
            throw;
        }
        catch (Exception exception) when (ticket is not null && SaysNothing(exception))
        {
            var status = await CommitOutcome.AskAsync(context, ticket, time).ConfigureAwait(false);
            asked?.Invoke(status);
            switch (status)
            {
                case CommitStatus.Committed:
                    return exception is NpgsqlException ? null : exception;
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

    /// <summary>
    /// An error that the server reports about the commit means that it was rolled back; everything else says nothing, and nor does the
    /// last word of a server process that ends: FATAL, or PANIC, which is what an error after the commit record becomes.
    /// </summary>
    public static bool SaysNothing(Exception exception)
        => SqlStates.FindPostgresException(exception) is not { } error
            || error.InvariantSeverity is "FATAL" or "PANIC"
            || error.SqlState.StartsWith("08", StringComparison.Ordinal);
}
