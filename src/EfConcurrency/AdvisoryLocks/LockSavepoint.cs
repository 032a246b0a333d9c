using Npgsql;

namespace EfConcurrency.AdvisoryLocks;

/// <summary>The savepoint before a lock in a caller's transaction. What ends it is not to be cancelled: the transaction must be as it was.</summary>
internal static class LockSavepoint
{
    /// <summary>Gives back what was taken since, and makes the transaction usable again.</summary>
    public static async Task GiveBackAsync(NpgsqlConnection connection)
    {
        try
        {
            await SendAsync(connection, AdvisoryLocksSql.RollBack, AdvisoryLocksSql.Release).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // The connection is gone, and with it the transaction and the lock. What went wrong first is what the caller gets.
        }
    }

    public static Task ReleaseAsync(NpgsqlConnection connection) => SendAsync(connection, AdvisoryLocksSql.Release);

    private static async Task SendAsync(NpgsqlConnection connection, params string[] statements)
    {
        var batch = connection.CreateBatch();
        await using (batch.ConfigureAwait(false))
        {
            foreach (var statement in statements)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
            }

            await batch.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
