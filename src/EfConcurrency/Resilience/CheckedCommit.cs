using System.Data.Common;

namespace EfConcurrency.Resilience;

/// <summary>
/// A COMMIT that fails when there is nothing left to commit. PostgreSQL answers COMMIT in an aborted transaction with ROLLBACK, which is
/// no error, and Npgsql reports it as a success (as pgjdbc did before pgjdbc/pgjdbc#1729). A statement before it, in the same round
/// trip, makes the server say 25P02 instead; whoever swallowed the error that aborted the transaction, and however it was sent.
/// </summary>
internal static class CheckedCommit
{
    /// <param name="transaction">The transaction, which is completed by this.</param>
    /// <param name="timeoutSeconds">Limit of the context's commands; null: the connection's.</param>
    /// <param name="cancellationToken">Not the caller's: a commit must not be half done.</param>
    public static async Task SendAsync(DbTransaction transaction, int? timeoutSeconds, CancellationToken cancellationToken)
    {
        var batch = transaction.Connection!.CreateBatch();
        await using (batch.ConfigureAwait(false))
        {
            batch.Transaction = transaction;
            batch.Timeout = timeoutSeconds ?? batch.Timeout;
            foreach (var sql in (ReadOnlySpan<string>)[ResilienceSql.IsNotAborted, ResilienceSql.Commit])
            {
                var command = batch.CreateBatchCommand();
                command.CommandText = sql;
                batch.BatchCommands.Add(command);
            }

            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
