using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Benchmarks.Versioning;

/// <summary>Many workers raise the values of few rows: who gets it done how often, and how long the slowest wait.</summary>
internal sealed class HotRowBenchmark(BenchRows rows, int rounds, TimeSpan slice, Random random)
{
    /// <param name="workers">How many at once.</param>
    /// <param name="of">How many rows there are.</param>
    /// <param name="each">How many of them a unit writes, by chance.</param>
    public async Task RunAsync(int workers, int of = 1, int each = 1)
    {
        var first = await rows.TakeAsync(of);
        var ids = Enumerable.Range(first, of).ToArray();
        var all = Contenders(rows.ConnectionString, () => of == 1 ? ids : [.. Random.Shared.GetItems(ids, 8 * each).Distinct().Take(each)]);

        // One statement over several rows takes their locks in whatever order it finds them, and deadlocks.
        var contenders = each == 1 ? all : all[..^1];
        var rates = contenders.Select(_ => new List<double>()).ToArray();
        var latencies = contenders.Select(_ => new ConcurrentBag<double>()).ToArray();
        for (var round = -1; round < rounds; round++)
        {
            var order = Enumerable.Range(0, contenders.Count).ToArray();
            random.Shuffle(order);
            foreach (var i in order)
            {
                var seen = new ConcurrentBag<double>();
                var rate = await SliceAsync(contenders[i].Operation, workers, seen);
                if (round >= 0)
                {
                    rates[i].Add(rate);
                    foreach (var latency in seen)
                    {
                        latencies[i].Add(latency);
                    }
                }
            }
        }

        Console.WriteLine($"### {(of == 1 ? "One hot row" : $"{each} of {of} contended rows")}, {workers} workers");
        Console.WriteLine();
        Console.WriteLine("| contender | units per second, ratio of medians | spread (p10 to p90) | p99 latency, ratio | longest wait, ratio |");
        Console.WriteLine("|---|---|---|---|---|");
        var (baseRate, baseP99, baseMax) = (Percentile(rates[0], 0.5), Percentile(latencies[0], 0.99), latencies[0].Max());
        for (var i = 0; i < contenders.Count; i++)
        {
            Console.WriteLine(
                $"| {contenders[i].Name} | {Text(Percentile(rates[i], 0.5) / baseRate)} | {Text(Percentile(rates[i], 0.1) / baseRate)} to {Text(Percentile(rates[i], 0.9) / baseRate)} "
                + $"| {Text(Percentile(latencies[i], 0.99) / baseP99)} | {Text(latencies[i].Max() / baseMax)} |");
        }

        Console.WriteLine();
        await CheckAsync(ids, each, contenders.Count);
    }

    private static List<(string Name, Func<Task> Operation)> Contenders(string connectionString, Func<int[]> pick)
    {
        var token = BenchFactory.Create<TokenContext>(connectionString);
        var versioned = BenchFactory.Create<VersionedContext>(connectionString, ServerJudgedSaves.WhenAvailable);
        Func<Task> Retry(RetryOnConflictOptions options) => () =>
        {
            var ids = pick();
            return versioned.RetryOnConflictAsync(
                async (db, cancellationToken) =>
                {
                    (await db.Rows.Where(r => ids.Contains(r.Id)).ToListAsync(cancellationToken)).ForEach(r => r.Value++);
                    await db.SaveChangesAsync(cancellationToken);
                },
                options);
        };

        return
        [
            ("EF, loop that catches and retries", () => CatchAndRetryAsync(token, pick())),
            ("RetryOnConflict, never locks", Retry(new() { MaxAttempts = 1000, LockAfterConflicts = 0 })),
            ("RetryOnConflict (locks after 1 conflict)", Retry(new() { MaxAttempts = 1000 })),
            ("RetryOnConflict, a transaction per save", Retry(new() { MaxAttempts = 1000, Transaction = ConflictRetryTransaction.PerSave })),
            ("one ExecuteUpdate", async () =>
            {
                var ids = pick();
                await using var db = await versioned.CreateDbContextAsync();
                await db.Rows.Where(r => ids.Contains(r.Id)).ExecuteUpdateAsync(s => s.SetProperty(r => r.Value, r => r.Value + 1));
            }),
        ];
    }

    /// <summary>What EF's documentation shows: a concurrency token, and a loop around read and save.</summary>
    private static async Task CatchAndRetryAsync(IDbContextFactory<TokenContext> factory, int[] ids)
    {
        while (true)
        {
            await using var db = await factory.CreateDbContextAsync();
            foreach (var row in await db.Rows.Where(r => ids.Contains(r.Id)).ToListAsync())
            {
                row.Value++;
                db.Entry(row).Property(r => r.Version).CurrentValue = row.Version + 1;
            }

            try
            {
                await db.SaveChangesAsync();
                return;
            }
            catch (DbUpdateConcurrencyException)
            {
                // Another worker was first: read again.
            }
        }
    }

    private async Task<double> SliceAsync(Func<Task> operation, int workers, ConcurrentBag<double> latencies)
    {
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            var done = 0;
            while (Stopwatch.GetElapsedTime(started) < slice)
            {
                var begun = Stopwatch.GetTimestamp();
                await operation();
                latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                done++;
            }

            return done;
        })));
        var total = counts.Sum();
        Interlocked.Add(ref _expected, total);
        return total / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private int _expected;

    private async Task CheckAsync(int[] ids, int each, int contenders)
    {
        await using var db = await BenchFactory.Create<PlainContext>(rows.ConnectionString).CreateDbContextAsync();
        var value = await db.Rows.Where(r => ids.Contains(r.Id)).SumAsync(r => r.Value);
        Console.WriteLine(value == _expected * each
            ? $"No update lost: {value} increments by {contenders} contenders, {value} in the rows."
            : throw new InvalidOperationException($"{_expected * each} increments were made, but the rows have {value}."));
        Console.WriteLine();
        _expected = 0;
    }

    private static double Percentile(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)Math.Round(part * (sorted.Length - 1))];
    }

    private static string Text(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
