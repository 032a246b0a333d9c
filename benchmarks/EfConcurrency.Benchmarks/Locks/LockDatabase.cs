using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.Testing;
using Npgsql;

namespace EfConcurrency.Benchmarks.Locks;

/// <summary>A database with the table of rows, and how a set of contenders is measured in it.</summary>
internal sealed class LockDatabase(LocalPostgres server, Func<string, string> tune, int rounds, TimeSpan slice, Random random)
{
    private const int RowCount = 1000;

    /// <summary>Counts round trips through a proxy with one worker, then measures without it.</summary>
    public async Task MeasureAsync(string title, int workers, Func<ContenderSet, string, int, Task> addContenders)
    {
        var trips = new Dictionary<string, double>();
        await using (var counted = await SetAsync(1, throughProxy: true, addContenders))
        {
            foreach (var contender in counted.All)
            {
                for (var warmUp = 0; warmUp < 5; warmUp++)
                {
                    await contender.Workers[0]();
                }

                var counter = counted.Proxy!.CountRoundTrips();
                await contender.Workers[0]();
                trips[contender.Name] = counter.Count;
            }
        }

        await using var contenders = await SetAsync(workers, throughProxy: false, addContenders);
        Console.WriteLine($"### {title}, {workers} worker(s)");
        Console.WriteLine();
        MarkdownTable.Print(await InterleavedRounds.RunAsync(contenders.All, rounds, slice, random), trips);
    }

    private async Task<ContenderSet> SetAsync(int workers, bool throughProxy, Func<ContenderSet, string, int, Task> addContenders)
    {
        var database = await server.CreateDatabaseAsync();
        await CreateRowsAsync(database.ConnectionString);
        var proxy = throughProxy ? FaultProxy.Start(database.ConnectionString) : null;
        var set = new ContenderSet(database, proxy);
        await addContenders(set, tune(proxy?.ConnectionString ?? database.ConnectionString), workers);
        return set;
    }

    private static async Task CreateRowsAsync(string connectionString)
    {
        await using var db = LockContext.Plain(connectionString);
        await db.Database.EnsureCreatedAsync();
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var insert = new NpgsqlCommand("insert into lock_row (id, value) select i, 0 from generate_series(1, $1) i", connection);
        insert.Parameters.Add(new() { Value = RowCount });
        await insert.ExecuteNonQueryAsync();
        await using var vacuum = new NpgsqlCommand("vacuum analyze lock_row", connection);
        await vacuum.ExecuteNonQueryAsync();
    }
}
