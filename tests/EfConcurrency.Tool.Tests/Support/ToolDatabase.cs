using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>A database for one test class, with all tables of the library.</summary>
public class ToolDatabase(PostgresServer server) : IAsyncLifetime
{
    /// <summary>In every connection string, and in no output. The server lets everybody in.</summary>
    public const string Password = "pa55-w0rd-of-the-test";

    private TestDatabase? _database;

    /// <summary>As a superuser.</summary>
    public string ConnectionString => _database!.ConnectionString + $";Password={Password}";

    public LocalPostgres Server => server.Server;

    public virtual async ValueTask InitializeAsync()
    {
        _database = await server.Server.CreateDatabaseAsync();
        await using var shop = Open();
        await shop.Database.EnsureCreatedAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _database!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    public ShopContext Open() => ShopContext.Open(ConnectionString);

    /// <summary>An empty database.</summary>
    public Task<TestDatabase> CreateEmptyAsync() => server.Server.CreateDatabaseAsync(TestContext.Current.CancellationToken);

    /// <summary>The connection string of another role.</summary>
    public string As(string role) => new NpgsqlConnectionStringBuilder(ConnectionString) { Username = role }.ConnectionString;

    /// <summary>Makes a role that may log in and nothing else; returns its name. Roles are the server's, so the name is the database's own.</summary>
    public async Task<string> CreateRoleAsync(string purpose)
    {
        var role = $"{_database!.Name}_{purpose}";
        await ExecuteAsync($"create role \"{role}\" login");
        return role;
    }

    /// <summary>A role that may look at everything and change nothing, as the tool's README makes it.</summary>
    public async Task<string> CreateLookerAsync()
    {
        var role = await CreateRoleAsync("looker");
        await ExecuteAsync($"""
            grant pg_monitor, pg_signal_backend to "{role}";
            grant usage on schema efc to "{role}";
            grant select on all tables in schema efc to "{role}";
            """);
        return role;
    }

    public async Task<NpgsqlConnection> ConnectAsync(string? connectionString = null, string applicationName = "worker")
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString ?? ConnectionString) { ApplicationName = applicationName, Pooling = false };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>A session that holds an advisory lock, outside of a transaction, until it is disposed.</summary>
    public async Task<NpgsqlConnection> HoldAsync(AdvisoryLocks.AdvisoryKey key, string applicationName = "worker", bool isShared = false)
    {
        var connection = await ConnectAsync(applicationName: applicationName);
        await using var take = new NpgsqlCommand(isShared ? "select pg_advisory_lock_shared($1)" : "select pg_advisory_lock($1)", connection) { Parameters = { new() { Value = key.Number } } };
        await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    public async Task<TValue> ScalarAsync<TValue>(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (TValue)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Returns when that many sessions of this database wait for a lock.</summary>
    public async Task UntilWaitingForLocksAsync(int sessions)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        await using var connection = await ConnectAsync();
        await using var count = new NpgsqlCommand(
            "select count(distinct l.pid) from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()", connection);
        while ((long)(await count.ExecuteScalarAsync(deadline.Token))! < sessions)
        {
            await Task.Delay(10, deadline.Token);
        }
    }
}
