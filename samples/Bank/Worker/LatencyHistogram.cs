namespace Bank.Worker;

/// <summary>Counts of latencies in buckets that grow by 10 %: small enough to send, and sums of several are exact.</summary>
public sealed class LatencyHistogram
{
    private const double Growth = 1.1;
    private const double SmallestMicroseconds = 10;
    private const int Buckets = 160;

    public LatencyHistogram(int[]? counts = null) => Counts = counts ?? new int[Buckets];

    public int[] Counts { get; }

    public void Add(TimeSpan latency)
    {
        var bucket = (int)Math.Log(Math.Max(latency.TotalMicroseconds, SmallestMicroseconds) / SmallestMicroseconds, Growth);
        Counts[Math.Min(bucket, Buckets - 1)]++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < Buckets; i++)
        {
            Counts[i] += other.Counts[i];
        }
    }

    /// <summary>Upper bound of the bucket in which the percentile lies, in milliseconds; null without a count.</summary>
    public double? Percentile(double percent)
    {
        var total = Counts.Sum();
        var wanted = (int)Math.Ceiling(total * percent / 100);
        var seen = 0;
        for (var i = 0; i < Buckets; i++)
        {
            seen += Counts[i];
            if (total > 0 && seen >= wanted)
            {
                return SmallestMicroseconds * Math.Pow(Growth, i + 1) / 1000;
            }
        }

        return null;
    }
}
