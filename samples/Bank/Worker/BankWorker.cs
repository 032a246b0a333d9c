using System.Diagnostics;
using System.Text.Json;
using EfConcurrency.Versioning;
using Npgsql;

namespace Bank.Worker;

/// <summary>A process that makes transfers, one after the other on each of its two threads, until the time is over or its parent is gone.</summary>
public sealed class BankWorker(StormMode mode, int scale, int seed, TimeSpan duration)
{
    private const int Threads = 2;
    private const int TellersPerBranch = 10;
    private const int AccountsPerBranch = 100_000;

    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly LatencyHistogram _latencies = new();
    private int _done;
    private int _conflicts;
    private int _givenUp;
    private int _failed;

    public async Task RunAsync(string connectionString, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = Task.Run(() => WaitForParent(stop), CancellationToken.None);

        var transfers = new Transfers(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = Threads, MaxAutoPrepare = 20 }.ConnectionString);
        Func<Transfer, CancellationToken, Task<TransferResult>> save = mode switch
        {
            StormMode.Naive => transfers.NaiveAsync,
            StormMode.Versioned => transfers.VersionedAsync,
            _ => transfers.RetriedAsync,
        };

        // A transfer of nothing, so that the start of EF is not measured.
        await save(new Transfer(AccountId: 1, TellerId: 1, BranchId: 1, Delta: 0), stop.Token);
        stop.CancelAfter(duration);

        var threads = Enumerable.Range(0, Threads).Select(i => TransferAsync(save, new Random((seed * Threads) + i), stop.Token)).ToList();
        while (!stop.IsCancellationRequested)
        {
            Print();
            await Task.WhenAny(Task.Delay(ReportEvery, stop.Token), Task.WhenAll(threads));
        }

        await Task.WhenAll(threads);
        Print();
    }

    /// <summary>The parent keeps our standard input open as long as it lives.</summary>
    private static void WaitForParent(CancellationTokenSource stop)
    {
        while (Console.In.ReadLine() is not null)
        {
        }

        stop.Cancel();
    }

    private async Task TransferAsync(Func<Transfer, CancellationToken, Task<TransferResult>> save, Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var transfer = new Transfer(
                random.Next(1, (AccountsPerBranch * scale) + 1),
                random.Next(1, (TellersPerBranch * scale) + 1),
                random.Next(1, scale + 1),
                random.Next(-5000, 5001));
            var started = Stopwatch.GetTimestamp();
            try
            {
                Count(await save(transfer, CancellationToken.None), Stopwatch.GetElapsedTime(started));
            }
            catch (Exception e) when (e is VersionConflictException or NpgsqlException or Microsoft.EntityFrameworkCore.DbUpdateException or InvalidOperationException)
            {
                lock (_lock)
                {
                    _failed++;
                }

                await Console.Error.WriteLineAsync($"{e.GetType().Name}: {e.GetBaseException().Message}");
            }
        }
    }

    private void Count(TransferResult result, TimeSpan latency)
    {
        lock (_lock)
        {
            _conflicts += result.Conflicts;
            if (result.IsDone)
            {
                _done++;
                _latencies.Add(latency);
            }
            else
            {
                _givenUp++;
            }
        }
    }

    private void Print()
    {
        lock (_lock)
        {
            Console.WriteLine(JsonSerializer.Serialize(new WorkerReport(_done, _conflicts, _givenUp, _failed, _latencies.Counts)));
        }
    }
}
