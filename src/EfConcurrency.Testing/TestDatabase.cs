using Npgsql;

namespace EfConcurrency.Testing;

/// <summary>A database of a <see cref="LocalPostgres"/>; dropped, with the sessions that still use it, when disposed.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _server;

    internal TestDatabase(string server, string name)
    {
        _server = server;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    }

    /// <summary>Name of the database.</summary>
    public string Name { get; }

    /// <summary>A connection to the database as a superuser.</summary>
    public string ConnectionString { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using (var pool = new NpgsqlConnection(ConnectionString))
        {
            NpgsqlConnection.ClearPool(pool);
        }

        await PostgresQuery.ExecuteAsync(_server, $"drop database if exists \"{Name}\" with (force)", CancellationToken.None).ConfigureAwait(false);
    }
}
