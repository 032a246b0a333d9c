using System.Text.RegularExpressions;
using EfConcurrency.Ops.Tests.Support;

namespace EfConcurrency.Ops.Tests.Alerts;

/// <summary>The instruments as docs/telemetry.md lists them, which a test compares with the code.</summary>
internal static partial class TelemetryTable
{
    private static readonly string[] Kinds = ["counter", "updowncounter", "gauge", "histogram"];

    /// <summary>An instrument as Prometheus has it.</summary>
    /// <param name="Prometheus">Its name there.</param>
    /// <param name="IsHistogram">Whether it is three series.</param>
    /// <param name="Labels">Labels with the values they can have; none: any.</param>
    internal sealed record Instrument(string Prometheus, bool IsHistogram, IReadOnlyDictionary<string, string[]> Labels)
    {
        public string[] Series => IsHistogram ? [$"{Prometheus}_bucket", $"{Prometheus}_sum", $"{Prometheus}_count"] : [Prometheus];
    }

    public static IReadOnlyList<Instrument> Instruments { get; } =
    [
        .. from line in Repository.Read(Repository.Telemetry).Split('\n')
           let cells = line.Split('|', StringSplitOptions.TrimEntries)
           where cells.Length >= 7 && Kinds.Contains(cells[2])
           select new Instrument(
               cells[5].Trim('`'),
               cells[2] == "histogram",
               Tag().Matches(cells[4]).ToDictionary(
                   m => m.Groups["tag"].Value.Replace('.', '_'),
                   m => m.Groups["values"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries),
                   StringComparer.Ordinal)),
    ];

    /// <summary>Series by name.</summary>
    public static IReadOnlyDictionary<string, Instrument> Series { get; } =
        Instruments.SelectMany(i => i.Series.Select(s => (Series: s, Instrument: i))).ToDictionary(s => s.Series, s => s.Instrument, StringComparer.Ordinal);

    [GeneratedRegex(@"`(?<tag>[\w.]+)`(?: \((?<values>[^)]*)\))?")]
    private static partial Regex Tag();
}
