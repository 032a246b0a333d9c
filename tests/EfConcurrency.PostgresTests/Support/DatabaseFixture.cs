using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.PostgresTests.Support;

/// <summary>A fresh database for one test class.</summary>
public class DatabaseFixture(PostgresServer server) : IAsyncLifetime
{
    private TestDatabase? _database;

    public string ConnectionString => _database!.ConnectionString;

    public virtual async ValueTask InitializeAsync() => _database = await server.Server.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        await _database!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>One more database, for a test that changes what others rely on.</summary>
    public Task<TestDatabase> CreateDatabaseAsync() => server.Server.CreateDatabaseAsync(TestContext.Current.CancellationToken);

    public FaultProxy StartProxy(Action<NpgsqlConnectionStringBuilder>? configure = null)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionString);
        configure?.Invoke(connectionString);
        return FaultProxy.Start(connectionString.ConnectionString);
    }

    public async Task<TValue> ScalarAsync<TValue>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (TValue)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    /// <summary>Returns when that many sessions of this database wait for a lock.</summary>
    public async Task UntilWaitingForLocksAsync(int sessions)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (await ScalarAsync<long>("select count(distinct l.pid) from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()") < sessions)
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
