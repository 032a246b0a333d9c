using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.Leases;
using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.Benchmarks.Fencing;

/// <summary>Lease operations against the same statements written by hand.</summary>
internal sealed class LeaseBenchmark(LocalPostgres server, Func<string, string> tune, int rounds, TimeSpan slice, Random random)
{
    private static readonly LeaseOptions Still = new() { TimeToLive = TimeSpan.FromMinutes(5), KeepAlive = false };

    private readonly LeaseSql _sql = new("efc.lease");

    public async Task RunAsync()
    {
        await using var database = await server.CreateDatabaseAsync();
        var connectionString = tune(database.ConnectionString);
        await using var db = FencedContext.Open<GuardContext>(connectionString);
        await db.Database.EnsureCreatedAsync();
        var leases = Microsoft.EntityFrameworkCore.LeasesDbContextExtensions.Leases(db);
        await using var held = await leases.AcquireAsync("held", TimeSpan.Zero, Still);
        await using var renewed = await leases.AcquireAsync("renewed", TimeSpan.Zero, Still);

        await PrintAsync("acquire and release", connectionString, AcquireByHandAsync, async () => await (await leases.TryAcquireAsync("ours", Still)).Lease!.DisposeAsync());
        await PrintAsync(
            "renew", connectionString, connection => ExecuteAsync(connection, _sql.Renew, "renewed", renewed.FencingToken, renewed.Id, 300d), () => renewed.RenewAsync());
        await PrintAsync("acquire, held by another", connectionString, connection => TryByHandAsync(connection, "held", Guid.NewGuid()), () => leases.TryAcquireAsync("held", Still));
    }

    private async Task PrintAsync(string title, string connectionString, Func<NpgsqlConnection, Task> byHand, Func<Task> ours)
    {
        Console.WriteLine($"### lease: {title}");
        Console.WriteLine();
        MarkdownTable.Print(await InterleavedRounds.RunAsync(
            [
                new("by hand: NpgsqlCommand on a pooled connection", [async () =>
                {
                    await using var connection = new NpgsqlConnection(connectionString);
                    await connection.OpenAsync();
                    await byHand(connection);
                }]),
                new("lease manager", [ours]),
            ],
            rounds,
            slice,
            random));
    }

    private async Task AcquireByHandAsync(NpgsqlConnection connection)
    {
        var holder = Guid.NewGuid();
        var token = await TryByHandAsync(connection, "by hand", holder);
        await ExecuteAsync(connection, _sql.Release, "by hand", token, holder);
    }

    private async Task<long> TryByHandAsync(NpgsqlConnection connection, string name, Guid holder)
    {
        await using var command = Command(connection, _sql.Acquire, name, holder, "by hand", 300d, "200ms");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return reader.GetInt64(1);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, params object[] values)
    {
        await using var command = Command(connection, sql, values);
        await command.ExecuteScalarAsync();
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        return command;
    }
}
