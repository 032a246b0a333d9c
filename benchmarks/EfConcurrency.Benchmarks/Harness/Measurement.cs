namespace EfConcurrency.Benchmarks.Harness;

/// <summary>What the rounds of one contender gave.</summary>
/// <param name="Name">The contender.</param>
/// <param name="Seconds">Seconds per operation, one value a round.</param>
/// <param name="BytesPerOperation">Bytes allocated in this process.</param>
internal sealed record Measurement(string Name, double[] Seconds, double BytesPerOperation)
{
    public double Median => Percentile(0.5);

    public double Percentile(double part)
    {
        var sorted = Seconds.Order().ToArray();
        return sorted[(int)Math.Round(part * (sorted.Length - 1))];
    }
}
