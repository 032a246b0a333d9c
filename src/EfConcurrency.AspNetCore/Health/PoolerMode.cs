using Npgsql;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>
/// How long a pooler lets a client keep a server connection. It can't be asked through an ordinary connection, but it shows: by transaction, an idle client's server connection is
/// given to another client. https://www.pgbouncer.org/features.html
/// </summary>
internal static class PoolerMode
{
    public const string None = "none";

    /// <summary>For its session: each client has a server process to itself.</summary>
    public const string Session = "session";

    /// <summary>For a transaction: what a session keeps is another client's a moment later.</summary>
    public const string Transaction = "transaction";

    /// <summary>A second connection could not be had in time, or not begin a transaction.</summary>
    public const string Unknown = "unknown";

    /// <summary>Other clients may take the connection in between; an idle pooler gives the one that was used last.</summary>
    private const int Tries = 3;

    /// <summary>In seconds: a pooler by session lets a client wait when all server connections are taken.</summary>
    private const int Patience = 2;

    /// <param name="connection">Open, in no transaction, through a pooler.</param>
    /// <param name="serverProcess">That answered it last.</param>
    /// <param name="cancellationToken">Cancels the statements.</param>
    public static async Task<string> FindAsync(NpgsqlConnection connection, int serverProcess, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection.ConnectionString)
        {
            Pooling = false,
            Timeout = Patience,
            CommandTimeout = Patience,
        };
        try
        {
            var other = connection.CloneWith(settings.ConnectionString);
            await using (other.ConfigureAwait(false))
            {
                await other.OpenAsync(cancellationToken).ConfigureAwait(false);
                for (var tries = 0; tries < Tries; tries++)
                {
                    var transaction = await other.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                    await using (transaction.ConfigureAwait(false))
                    {
                        // Both are connected: a server process that answers both belongs to neither.
                        if (await ProcessAsync(other, cancellationToken).ConfigureAwait(false) == serverProcess
                            || await ProcessAsync(connection, cancellationToken).ConfigureAwait(false) != serverProcess)
                        {
                            return Transaction;
                        }
                    }
                }

                return Session;
            }
        }
        catch (NpgsqlException)
        {
            return Unknown;
        }
    }

    private static async Task<int> ProcessAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(HealthSql.ServerProcess, connection);
        await using (command.ConfigureAwait(false))
        {
            return (int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        }
    }
}
