using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>What the storm has left: <c>Items</c> says what was committed, <c>Applied</c> what the receiver was told, and after what.</summary>
internal sealed class OutboxStormDatabase(TestDatabase database) : IAsyncDisposable
{
    /// <summary>Doubles count as twice and not as out of order: they come after the first one's successors.</summary>
    private const string Check = """
        with told as (select "ItemId", "Number", count(*) as times, min("Id") as first from "Applied" group by 1, 2)
        select
            (select sum("Version") from "Items")::bigint,
            (select sum("Version") from "Items")::bigint - (select count(*) from told),
            (select coalesce(sum(times - 1), 0)::bigint from told),
            (select count(*) from told t join "Applied" a on a."Id" = t.first where a."After" > a."Number")
        """;

    public string ConnectionString => database.ConnectionString;

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    public async Task<long> LongAsync(string sql) => Convert.ToInt64(await ScalarAsync(sql), System.Globalization.CultureInfo.InvariantCulture);

    public async Task<OutboxStormCheck> CheckAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(Check, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        await reader.ReadAsync(TestContext.Current.CancellationToken);
        return new(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();
}

/// <param name="Committed">Changes, each told by a message.</param>
/// <param name="Lost">Changes of which the receiver was not told.</param>
/// <param name="Twice">Effects beyond the first of a message.</param>
/// <param name="OutOfOrder">Messages that took effect after a later one of their key.</param>
internal sealed record OutboxStormCheck(long Committed, long Lost, long Twice, long OutOfOrder);
