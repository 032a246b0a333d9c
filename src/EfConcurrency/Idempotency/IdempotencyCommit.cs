using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfConcurrency.Idempotency;

/// <summary>Response and COMMIT in one round trip, and what to think when there is no reply to it.</summary>
internal static class IdempotencyCommit
{
    /// <summary>Stores the response and commits. Returns only when the transaction is known to be committed.</summary>
    /// <param name="call">The call.</param>
    /// <param name="claim">The claim, made in this transaction.</param>
    /// <param name="response">What is stored.</param>
    /// <param name="transaction">The transaction, which the library opened.</param>
    /// <param name="rollsBackWork">Whether the body's work is rolled back first.</param>
    /// <exception cref="IdempotencyClaimLostException">The claim is no longer in the transaction.</exception>
    /// <exception cref="CommitOutcomeUnknownException">It could not be found out.</exception>
    public static Task CommitAsync(IdempotencyCall call, IdempotencyClaim claim, StoredResponse response, IDbContextTransaction transaction, bool rollsBackWork)
        => CommitAsync(call, claim.Ticket, transaction, () => SendAsync(call, claim, response, rollsBackWork, commits: true), () => AskRowAsync(call));

    /// <summary>Commits by what <paramref name="send"/> sends. Returns only when the transaction is known to be committed.</summary>
    /// <param name="call">The call.</param>
    /// <param name="ticket">The transaction, for the server.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="send">Sends the last statements and COMMIT.</param>
    /// <param name="ask">Asks for what the transaction has left, when the server can't tell.</param>
    public static async Task CommitAsync(IdempotencyCall call, CommitTicket? ticket, IDbContextTransaction transaction, Func<Task> send, Func<Task<CommitStatus>> ask)
    {
        call.State.Completion = send;
        try
        {
            await ConfirmedCommit.SendAsync(transaction, ticket).ConfigureAwait(false);
        }
        catch (Exception exception) when (ticket is not null && exception is not CommitOutcomeUnknownException && RetryCommit.SaysNothingAboutWrites(exception))
        {
            var status = await CommitOutcome.AskAsync(call.Context, ticket, call.Time).ConfigureAwait(false);
            switch (status == CommitStatus.Unknown ? await ask().ConfigureAwait(false) : status)
            {
                case CommitStatus.Committed:
                    return;
                case CommitStatus.Aborted:
                    throw;
                default:
                    throw Unknown(call, ticket.TransactionId, exception);
            }
        }
        finally
        {
            call.State.Completion = null;
        }
    }

    public static CommitOutcomeUnknownException Unknown(IdempotencyCall call, string? transactionId, Exception exception) => new(
        $"The connection was lost while the operation of idempotency key {call.Key} was being committed, and the server could not tell what became of it. "
        + "Repeat it with the same key: it is done once, whatever became of it.",
        transactionId,
        exception);

    /// <summary>Stores the response: the last statement of the library in the transaction, or the last but COMMIT.</summary>
    public static async Task SendAsync(IdempotencyCall call, IdempotencyClaim claim, StoredResponse response, bool rollsBackWork, bool commits)
    {
        var batch = new IdempotencyBatch(call, call.Connection);
        await using (batch.ConfigureAwait(false))
        {
            if (rollsBackWork)
            {
                batch.Add(IdempotencySql.RollBackWork);
            }

            batch.AddComplete(claim.Fence, response);
            if (commits)
            {
                batch.Add(IdempotencySql.Commit);
            }

            await batch.SendToTheEndAsync(claim.Fence).ConfigureAwait(false);
        }
    }

    /// <summary>After a failover the old server's transaction ids mean nothing; the row tells. When it is not there, that proves nothing.</summary>
    public static async Task<CommitStatus> AskRowAsync(IdempotencyCall call)
    {
        try
        {
            var connection = (NpgsqlConnection)((ICloneable)call.Connection).Clone();
            await using (connection.ConfigureAwait(false))
            {
                await connection.OpenAsync(CancellationToken.None).ConfigureAwait(false);
                var command = new NpgsqlCommand(call.Table.Sql.IsOurs, connection);
                await using (command.ConfigureAwait(false))
                {
                    command.Parameters.AddRange((NpgsqlParameter[])[.. IdempotencyBatch.Key(call.Key), IdempotencyBatch.Id(call.Owner)]);
                    return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) is true ? CommitStatus.Committed : CommitStatus.Unknown;
                }
            }
        }
        catch (NpgsqlException)
        {
            return CommitStatus.Unknown;
        }
    }
}
