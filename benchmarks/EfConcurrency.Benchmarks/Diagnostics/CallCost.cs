using System.Diagnostics;

namespace EfConcurrency.Benchmarks.Diagnostics;

/// <summary>What calls cost by themselves, in a tight loop.</summary>
internal static class CallCost
{
    private const int Loops = 200_000;
    private const int Repeats = 9;

    /// <returns>Median of nanoseconds, and bytes, of one call; without those of calling a delegate.</returns>
    public static (double Nanoseconds, double Bytes) Measure(Action calls)
    {
        var (nanoseconds, bytes) = Median(calls);
        var empty = Median(static () => { });
        return (Math.Max(0, nanoseconds - empty.Nanoseconds), bytes);
    }

    private static (double Nanoseconds, double Bytes) Median(Action calls)
    {
        var times = new double[Repeats];
        var allocated = 0L;
        for (var repeat = -1; repeat < Repeats; repeat++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < Loops; i++)
            {
                calls();
            }

            var elapsed = Stopwatch.GetElapsedTime(started);
            if (repeat >= 0)
            {
                times[repeat] = elapsed.TotalNanoseconds / Loops;
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            }
        }

        Array.Sort(times);
        return (times[Repeats / 2], (double)allocated / Loops);
    }
}
