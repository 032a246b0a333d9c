using EfConcurrency.PostgresTests.Support;
using Npgsql;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>A fresh database with the tables of the program IdempotencyHost.</summary>
public sealed class CrashDatabase(PostgresServer server) : DatabaseFixture(server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await HostProcess.RunAsync("IdempotencyHost", ConnectionString, "prepare");
    }

    /// <summary>How often each step took effect for a key, by the name of the step.</summary>
    public async Task<Dictionary<string, long>> EffectsAsync(string key)
    {
        var effects = new Dictionary<string, long>();
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand("select \"Step\", count(*) from \"Effects\" where \"Key\" = $1 group by 1", connection);
        command.Parameters.Add(new() { Value = key });
        await using var reader = await command.ExecuteReaderAsync(Token);
        while (await reader.ReadAsync(Token))
        {
            effects[reader.GetString(0)] = reader.GetInt64(1);
        }

        return effects;
    }
}
