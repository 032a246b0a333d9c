using Npgsql;

namespace EfConcurrency.Testing;

/// <summary>Statements to a server on connections that no pool keeps: the server may be gone the moment after.</summary>
internal static class PostgresQuery
{
    /// <summary>How long is waited for what a server does by itself: start, replicate, be promoted.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);

    public static Task ExecuteAsync(string connectionString, string sql, CancellationToken cancellationToken)
        => WithConnectionAsync(connectionString, connection => ScalarAsync(connection, sql, [], cancellationToken), cancellationToken);

    public static async Task<T?> ScalarAsync<T>(string connectionString, string sql, object[] parameters, CancellationToken cancellationToken)
        => await WithConnectionAsync(connectionString, connection => ScalarAsync(connection, sql, parameters, cancellationToken), cancellationToken).ConfigureAwait(false) is T value ? value : default;

    /// <summary>Asks until the answer is yes; false: it was not within <see cref="Patience"/>.</summary>
    public static async Task<bool> BecomesTrueAsync(string connectionString, string sql, object[] parameters, CancellationToken cancellationToken)
    {
        async Task<object?> AskAsync(NpgsqlConnection connection)
        {
            var started = TimeProvider.System.GetTimestamp();
            while (await ScalarAsync(connection, sql, parameters, cancellationToken).ConfigureAwait(false) is not true)
            {
                if (TimeProvider.System.GetElapsedTime(started) > Patience)
                {
                    return false;
                }

                await Task.Delay(BetweenLooks, cancellationToken).ConfigureAwait(false);
            }

            return true;
        }

        return await WithConnectionAsync(connectionString, AskAsync, cancellationToken).ConfigureAwait(false) is true;
    }

    /// <summary>Whether the server accepts a connection within the time.</summary>
    public static async Task<bool> AcceptsAsync(string connectionString, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var impatient = new NpgsqlConnectionStringBuilder(connectionString) { Timeout = 5 }.ConnectionString;
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < timeout)
        {
            try
            {
                await WithConnectionAsync(impatient, _ => Task.FromResult<object?>(null), cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(BetweenLooks, cancellationToken).ConfigureAwait(false);
            }
        }

        return false;
    }

    private static async Task<object?> WithConnectionAsync(string connectionString, Func<NpgsqlConnection, Task<object?>> act, CancellationToken cancellationToken)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        var connection = new NpgsqlConnection(unpooled);
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return await act(connection).ConfigureAwait(false);
        }
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, object[] parameters, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)Patience.TotalSeconds + 10 };
        await using (command.ConfigureAwait(false))
        {
            foreach (var parameter in parameters)
            {
                command.Parameters.Add(new() { Value = parameter });
            }

            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
