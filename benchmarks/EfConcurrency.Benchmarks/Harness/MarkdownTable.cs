using System.Globalization;

namespace EfConcurrency.Benchmarks.Harness;

/// <summary>Prints measurements as a table for docs/benchmarks.md.</summary>
internal static class MarkdownTable
{
    /// <param name="measurements">The first is what the others are compared with.</param>
    /// <param name="roundTrips">Round trips per operation, by name.</param>
    public static void Print(IReadOnlyList<Measurement> measurements, IReadOnlyDictionary<string, double>? roundTrips = null)
    {
        var baseline = measurements[0];
        Console.WriteLine("| contender | time, ratio of medians | spread (p10 to p90) | KB allocated | round trips |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var m in measurements)
        {
            var trips = roundTrips is null ? "" : Text(roundTrips[m.Name], "0.#");
            Console.WriteLine(
                $"| {m.Name} | {Text(m.Median / baseline.Median, "0.00")} | {Text(m.Percentile(0.1) / baseline.Median, "0.00")} to {Text(m.Percentile(0.9) / baseline.Median, "0.00")} | {Text(m.BytesPerOperation / 1024, "0.0")} | {trips} |");
        }

        Console.WriteLine();
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
