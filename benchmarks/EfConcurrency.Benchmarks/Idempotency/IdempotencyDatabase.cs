using System.Globalization;
using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.Benchmarks.Idempotency;

/// <summary>A database with accounts and no keys, and how a set of contenders is measured in it.</summary>
internal sealed class IdempotencyDatabase(LocalPostgres server, Func<string, string> tune, int rounds, TimeSpan slice, Random random)
{
    private const int WarmUps = 100;
    private const int WalOperations = 100;
    private const int WalRuns = 5;

    /// <summary>Counts round trips and WAL through a proxy with one worker, then measures without it.</summary>
    public async Task MeasureAsync(string title, int workers, Func<ContenderSet, string, int, Task> addContenders)
    {
        var trips = new Dictionary<string, double>();
        var wal = new List<string>();
        await using (var counted = await SetAsync(1, throughProxy: true, addContenders))
        {
            foreach (var contender in counted.All)
            {
                var operation = contender.Workers[0];
                await RepeatAsync(operation, WarmUps);
                var counter = counted.Proxy!.CountRoundTrips();
                await operation();
                trips[contender.Name] = counter.Count;
                wal.Add($"{contender.Name}: {(await WalAsync(operation)).ToString("0", CultureInfo.InvariantCulture)}");
            }
        }

        await using var contenders = await SetAsync(workers, throughProxy: false, addContenders);
        Console.WriteLine($"### {title}, {workers} worker(s)");
        Console.WriteLine();
        MarkdownTable.Print(await InterleavedRounds.RunAsync(contenders.All, rounds, slice, random), trips);
        Console.WriteLine($"Bytes of WAL of one operation. {string.Join("; ", wal)}.");
        Console.WriteLine();
    }

    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The median of a few runs: a checkpoint or the vacuum in one of them does not count.</summary>
    private async Task<double> WalAsync(Func<Task> operation)
    {
        var bytes = new double[WalRuns];
        for (var run = 0; run < WalRuns; run++)
        {
            var before = await PositionAsync();
            await RepeatAsync(operation, WalOperations);
            bytes[run] = (double)(await PositionAsync() - before) / WalOperations;
        }

        return bytes.Order().ElementAt(WalRuns / 2);
    }

    private async Task<decimal> PositionAsync()
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn", connection);
        return (decimal)(await command.ExecuteScalarAsync())!;
    }

    private async Task<ContenderSet> SetAsync(int workers, bool throughProxy, Func<ContenderSet, string, int, Task> addContenders)
    {
        var database = await server.CreateDatabaseAsync();
        await using (var db = await IdempotencyContext.WithLibrary(database.ConnectionString).CreateDbContextAsync())
        {
            await db.Database.EnsureCreatedAsync();
        }

        await ExecuteAsync(database.ConnectionString, "insert into account (id, balance) select i, 0 from generate_series(1, 1000) i");
        await ExecuteAsync(database.ConnectionString, "vacuum analyze account");
        var proxy = throughProxy ? FaultProxy.Start(database.ConnectionString) : null;
        var set = new ContenderSet(database, proxy);
        await addContenders(set, tune(proxy?.ConnectionString ?? database.ConnectionString), workers);
        return set;
    }

    private static async Task RepeatAsync(Func<Task> operation, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await operation();
        }
    }
}
