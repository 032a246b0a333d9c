namespace LeaseHost;

/// <summary>What a contender counted; by path: save, bulk, raw, psql.</summary>
public sealed class ContenderReport
{
    public Dictionary<string, int> Accepted { get; init; } = [];

    /// <summary>Refused although the lease was believed to be held.</summary>
    public Dictionary<string, int> Rejected { get; init; } = [];

    /// <summary>Written on purpose under a lease that had been taken away, and refused.</summary>
    public Dictionary<string, int> StaleRefused { get; init; } = [];

    /// <summary>The same, and accepted: must stay empty.</summary>
    public Dictionary<string, int> StaleAccepted { get; init; } = [];

    public int Errors { get; set; }

    /// <summary>By how much the process's own clock is ahead of the database's.</summary>
    public double? ClockAheadSeconds { get; set; }

    public static void Count(Dictionary<string, int> counts, string path) => counts[path] = counts.GetValueOrDefault(path) + 1;
}
