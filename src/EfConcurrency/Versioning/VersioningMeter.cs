using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Versioning;

/// <summary>Instruments of the room. Names follow OpenTelemetry's rules for metrics.</summary>
internal static class VersioningMeter
{
    private static readonly Counter<long> Conflicts = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.conflicts", "{conflict}", "Rows whose save was refused because another writer was first.");

    private static readonly Counter<long> Retries = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.retry.attempts", "{attempt}", "Further attempts of RetryOnConflictAsync.");

    private static readonly Counter<long> Units = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.retry.units", "{unit}", "Units of RetryOnConflictAsync, by how they ended.");

    private static readonly Counter<long> CommitChecks = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.commit_outcome.checks", "{check}", "Commits whose reply was lost, by what became of them.");

    public static void Conflict(VersionConflict conflict)
        => Conflicts.Add(1, new(TagNames.Entity, conflict.EntityType), new(TagNames.ConflictKind, conflict.IsDeleted ? "deleted" : "version"));

    public static void Retry() => Retries.Add(1);

    /// <param name="outcome"><c>committed</c>, <c>exhausted</c>, <c>failed</c> or <c>cancelled</c>.</param>
    /// <param name="failure">What the caller gets instead of a result; null when it was the caller who cancelled.</param>
    public static void Unit(string outcome, Exception? failure = null)
    {
        if (Units.Enabled)
        {
            var tags = new TagList { { TagNames.Outcome, outcome } };
            tags.AddFailure(failure);
            Units.Add(1, tags);
        }
    }

    /// <param name="outcome"><c>committed</c>, <c>aborted</c> or <c>unknown</c>.</param>
    public static void CommitCheck(string outcome) => CommitChecks.Add(1, new KeyValuePair<string, object?>(TagNames.Outcome, outcome));
}
