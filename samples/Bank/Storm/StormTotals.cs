using Bank.Worker;

namespace Bank.Storm;

/// <summary>Sums over the workers of one run.</summary>
public sealed record StormTotals(int Done, int Conflicts, int Retries, int GivenUp, int Failed, double? P50, double? P99)
{
    public static StormTotals Of(IEnumerable<WorkerReport> reports)
    {
        var all = reports.ToList();
        var latencies = new LatencyHistogram();
        all.ForEach(r => latencies.Add(new LatencyHistogram(r.Latencies)));
        return new(
            all.Sum(r => r.Done), all.Sum(r => r.Conflicts), all.Sum(r => r.Retries), all.Sum(r => r.GivenUp), all.Sum(r => r.Failed), latencies.Percentile(50), latencies.Percentile(99));
    }
}
