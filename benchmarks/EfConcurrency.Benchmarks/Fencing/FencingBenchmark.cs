using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.Leases;
using EfConcurrency.Testing;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Benchmarks.Fencing;

/// <summary>What a fenced save costs above a plain one, for tracked rows that change a value.</summary>
internal sealed class FencingBenchmark(LocalPostgres server, Func<string, string> tune, int rounds, TimeSpan slice, Random random)
{
    private static readonly LeaseOptions Kept = new() { TimeToLive = TimeSpan.FromMinutes(5) };

    public async Task RunAsync(int rowCount, int workers)
    {
        var trips = new Dictionary<string, double>();
        await using (var measured = await ContendersAsync(rowCount, 1, throughProxy: true))
        {
            foreach (var contender in measured.All)
            {
                await contender.Workers[0]();
                await contender.Workers[0]();
                var counter = measured.Proxy!.CountRoundTrips();
                await contender.Workers[0]();
                trips[contender.Name] = counter.Count;
            }
        }

        await using var contenders = await ContendersAsync(rowCount, workers, throughProxy: false);
        Console.WriteLine($"### {rowCount} row(s) in one save, {workers} worker(s)");
        Console.WriteLine();
        MarkdownTable.Print(await InterleavedRounds.RunAsync(contenders.All, rounds, slice, random), trips);
    }

    private async Task<ContenderSet> ContendersAsync(int rowCount, int workers, bool throughProxy)
    {
        var database = await server.CreateDatabaseAsync();
        var proxy = throughProxy ? FaultProxy.Start(database.ConnectionString) : null;
        var result = new ContenderSet(database, proxy);
        var connectionString = tune(proxy?.ConnectionString ?? database.ConnectionString);
        await AddAsync<UnfencedContext>("EF, not fenced", null, null);
        await AddAsync<WiderContext>("EF, a concurrency token by hand", null, null);
        await AddAsync<IdleContext>("UseEfConcurrency(), nothing fenced", null, null);
        await AddAsync<RowFenceContext>("row fence", null, 7);
        await AddAsync<GuardContext>("lease guard", null, null);
        await AddAsync<GuardContext>("lease guard, judged by EF (BEGIN…COMMIT)", ServerJudgedSaves.Never, null);
        await AddAsync<FullFenceContext>("row fence and lease guard", null, null);
        await AddAsync<StrictContext>("row fence, lease guard, strict trigger", null, null);
        return result;

        async Task AddAsync<TContext>(string name, ServerJudgedSaves? judge, long? token)
            where TContext : FencedContext
        {
            var operations = new List<Func<Task>>();
            Lease? lease = null;
            for (var worker = 0; worker < workers; worker++)
            {
                var db = result.Keep(FencedContext.Open<TContext>(connectionString, judge));
                await CreateAsync(db);
                if (token is { } outside)
                {
                    db.UseFencingToken(FencedContext.Resource, outside);
                }
                else if (db.Model.FindEntityType(typeof(LeaseRecord)) is not null)
                {
                    lease ??= result.Keep(await db.Leases().AcquireAsync(typeof(TContext) == typeof(GuardContext) ? name : FencedContext.Resource, TimeSpan.Zero, Kept));
                    db.UseLease(lease);
                }

                var rows = Enumerable.Range(0, rowCount).Select(_ => new FencedRow { Text = "text" }).ToList();
                db.AddRange(rows);
                await db.SaveChangesAsync();
                operations.Add(async () =>
                {
                    rows.ForEach(r => r.Value++);
                    if (db is WiderContext)
                    {
                        rows.ForEach(r => r.FencingToken++);
                    }

                    await db.SaveChangesAsync();
                });
            }

            result.All.Add(new(name, operations));
        }
    }

    private static async Task CreateAsync(DbContext db)
    {
        try
        {
            await db.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();
        }
        catch (Npgsql.PostgresException error) when (error.SqlState is Npgsql.PostgresErrorCodes.DuplicateTable or Npgsql.PostgresErrorCodes.DuplicateObject)
        {
            // Another worker made them.
        }
    }
}
