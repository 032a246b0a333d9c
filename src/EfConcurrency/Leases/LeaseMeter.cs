using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Leases;

/// <summary>Instruments about leases. None carries a lease's name, of which there may be one for each row.</summary>
internal static class LeaseMeter
{
    private static readonly ConcurrentDictionary<Lease, bool> Held = new();

    private static readonly Counter<long> Acquisitions = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.lease.acquisitions", "{attempt}", "Attempts to acquire a lease, by how they ended.");

    private static readonly Counter<long> Renewals = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.lease.renewals", "{attempt}", "Renewals of leases, by how they ended.");

    private static readonly Counter<long> Losses = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.lease.losses", "{lease}", "Leases that were lost, by how.");

    private static readonly Counter<long> Elections = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.leader.elections", "{election}", "Elections that this process has won.");

    static LeaseMeter()
    {
        Telemetry.Meter.CreateObservableGauge("efconcurrency.lease.held", () => Held.Count, "{lease}", "Leases that this process holds.");
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.lease.remaining.min", Remaining, "s", "Shortest time for which this process may trust one of its leases; not reported when it holds none.");
    }

    public static void Started(Lease lease) => Held[lease] = true;

    public static void Ended(Lease lease) => Held.TryRemove(lease, out _);

    public static void Attempt(LeaseOutcome outcome, Exception? failure) => Add(Acquisitions, Tag(outcome), failure);

    public static void Elected() => Elections.Add(1);

    public static void Renewed() => Add(Renewals, "renewed", failure: null);

    public static void RenewalFailed(Exception failure) => Add(Renewals, "failed", failure);

    public static void Lost(LeaseLoss loss)
        => Losses.Add(1, new KeyValuePair<string, object?>(TagNames.Outcome, loss == LeaseLoss.TakenOver ? "taken_over" : "expired"));

    public static string Tag(LeaseOutcome outcome) => outcome switch
    {
        LeaseOutcome.Acquired => "acquired",
        LeaseOutcome.Held => "held",
        LeaseOutcome.Contended => "contended",
        _ => "unavailable",
    };

    private static void Add(Counter<long> counter, string outcome, Exception? failure)
    {
        var tags = new TagList { { TagNames.Outcome, outcome } };
        tags.AddFailure(failure);
        counter.Add(1, tags);
    }

    private static IEnumerable<Measurement<double>> Remaining()
        => Held.IsEmpty ? [] : [new(Held.Keys.Select(l => l.Remaining.TotalSeconds).DefaultIfEmpty(0).Min())];
}
