using System.Diagnostics;
using Bank.Storm;

namespace Bank.Report;

/// <summary>One line every two seconds, for logs and pipes.</summary>
internal sealed class PlainView(TextWriter output) : IStormView
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private long _shown = Stopwatch.GetTimestamp();

    public static string Line(StormMode mode, StormTotals totals)
        => string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{mode.Label(),-20} {totals.Done,8:n0} transfers {totals.Conflicts,7:n0} conflicts {totals.Retries,7:n0} retries {totals.GivenUp,7:n0} given up   p50 {totals.P50 ?? 0,6:0.0} ms   p99 {totals.P99 ?? 0,7:0.0} ms");

    public void Show(StormMode mode, StormTotals totals)
    {
        if (Stopwatch.GetElapsedTime(_shown) >= Every)
        {
            _shown = Stopwatch.GetTimestamp();
            output.WriteLine(Line(mode, totals));
        }
    }

    public void Tell(StormMode mode, string what) => output.WriteLine($"{mode.Label(),-20} {what}");
}
