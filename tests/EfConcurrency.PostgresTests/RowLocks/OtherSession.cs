using Npgsql;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>A transaction on a connection of its own, rolled back unless it commits.</summary>
public sealed class OtherSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private NpgsqlTransaction? _transaction;

    private OtherSession(NpgsqlConnection connection) => _connection = connection;

    public static async Task<OtherSession> StartAsync(string connectionString, string sql)
    {
        var session = new OtherSession(new(connectionString));
        await session._connection.OpenAsync(TestContext.Current.CancellationToken);
        session._transaction = await session._connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await session.ExecuteAsync(sql);
        return session;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection, _transaction);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public Task CommitAsync() => _transaction!.CommitAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
