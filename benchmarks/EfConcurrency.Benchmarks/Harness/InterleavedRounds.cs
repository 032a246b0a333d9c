using System.Diagnostics;

namespace EfConcurrency.Benchmarks.Harness;

/// <summary>
/// Measures contenders in short rounds, each round all of them in a new order: what the machine does meanwhile hits them alike. Ratios of
/// medians are what holds; absolute times are not.
/// </summary>
internal static class InterleavedRounds
{
    public static async Task<IReadOnlyList<Measurement>> RunAsync(IReadOnlyList<Contender> contenders, int rounds, TimeSpan slice, Random random)
    {
        var seconds = contenders.Select(_ => new double[rounds]).ToArray();
        var bytes = new double[contenders.Count];
        var operations = new double[contenders.Count];
        for (var round = -1; round < rounds; round++)
        {
            var order = Enumerable.Range(0, contenders.Count).ToArray();
            random.Shuffle(order);
            foreach (var i in order)
            {
                using var during = contenders[i].During?.Invoke();
                var allocated = GC.GetTotalAllocatedBytes(precise: true);
                var (done, elapsed) = await SliceAsync(contenders[i], slice);
                if (round >= 0)
                {
                    seconds[i][round] = elapsed.TotalSeconds / done;
                    bytes[i] += GC.GetTotalAllocatedBytes(precise: true) - allocated;
                    operations[i] += done;
                }
            }
        }

        return [.. contenders.Select((c, i) => new Measurement(c.Name, seconds[i], bytes[i] / operations[i]))];
    }

    private static async Task<(int Done, TimeSpan Elapsed)> SliceAsync(Contender contender, TimeSpan slice)
    {
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(contender.Workers.Select(operation => Task.Run(async () =>
        {
            var done = 0;
            while (Stopwatch.GetElapsedTime(started) < slice)
            {
                await operation();
                done++;
            }

            return done;
        })));
        return (Math.Max(1, counts.Sum()), Stopwatch.GetElapsedTime(started));
    }
}
