using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Resilience;

/// <summary>
/// A COMMIT that is confirmed by the standbys that the server was told to wait for. When that wait is cancelled (by the command's timeout, an
/// operator, a shutdown), PostgreSQL keeps the commit, says so in a warning and answers as if all were well, which Npgsql reports as a success.
/// </summary>
internal static class ConfirmedCommit
{
    /// <summary>
    /// The function of the server that warns (src/backend/replication/syncrep.c): the warning's text is translated, its SQLSTATE is any warning's.
    /// </summary>
    private const string WarningRoutine = "SyncRepWaitForLSN";

    /// <summary>Commits. Takes no cancellation token: a commit must not be half done.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="ticket">The transaction as the server knows it; null: not known.</param>
    /// <exception cref="CommitOutcomeUnknownException">It is committed on this server alone.</exception>
    public static async Task SendAsync(IDbContextTransaction transaction, CommitTicket? ticket)
    {
        var isAlone = false;
        var connection = transaction.GetDbTransaction().Connection as NpgsqlConnection;
        connection?.Notice += OnNotice;
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (isAlone)
        {
            throw Unconfirmed(exception);
        }
        finally
        {
            connection?.Notice -= OnNotice;
        }

        if (isAlone)
        {
            throw Unconfirmed(null);
        }

        void OnNotice(object sender, NpgsqlNoticeEventArgs e) => isAlone |= e.Notice.Routine == WarningRoutine;

        CommitOutcomeUnknownException Unconfirmed(Exception? exception) => new(
            $"Transaction {ticket?.TransactionId ?? "(unknown)"} is committed on this server, but the wait for its synchronous standby was cut short (by the command's timeout, an operator "
            + "or a shutdown): a failover may lose it. The work is done: look before running it again. See pg_stat_replication for the standbys that are there.",
            ticket?.TransactionId,
            exception);
    }
}
