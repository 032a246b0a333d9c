using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Outbox;

/// <summary>Instruments about delivery. Tagged with the sink: sinks are few.</summary>
internal static class OutboxMeter
{
    /// <summary>By context too: two databases of a process may have sinks of one name, which are told together.</summary>
    private static readonly ConcurrentDictionary<(Type Context, string Sink), int> Lanes = new();

    private static readonly ConcurrentDictionary<(Type Context, string Sink), OutboxLag> Lags = new();

    private static readonly Counter<long> Deliveries = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.outbox.deliveries", "{message}", "Messages that a transport was given, by what became of them.");

    private static readonly Counter<long> LanesLost = Telemetry.Meter.CreateCounter<long>(
        "efconcurrency.outbox.lanes_lost", "{lane}", "Lanes that were lost because their lease was not renewed in time.");

    private static readonly Histogram<double> Sends = Telemetry.Meter.CreateHistogram(
        "efconcurrency.outbox.send.duration",
        "s",
        "How long a transport takes for a batch.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });

    static OutboxMeter()
    {
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.outbox.lanes",
            () => Lanes.GroupBy(l => l.Key.Sink, l => l.Value).Select(l => new Measurement<int>(l.Sum(), Sink(l.Key))),
            "{lane}",
            "Lanes that this process leads.");
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.outbox.oldest_pending.age",
            () => LagsOfSinks().Select(s => new Measurement<double>(s.Max(l => l.OldestAge)?.TotalSeconds ?? 0, Sink(s.Key))),
            "s",
            "Age of the oldest message that is not delivered; measured by one process for all, every 10 s.");
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.outbox.pending.count", Counts, "{message}", "Messages that will be delivered, by what they wait for; measured by one process for all, every 10 s.");
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.outbox.dead_letter.count",
            () => LagsOfSinks().Select(s => new Measurement<long>(s.Sum(l => l.Dead), Sink(s.Key))),
            "{message}",
            "Messages that will not be delivered unless somebody replays them; measured by one process for all, every 10 s.");
    }

    public static void Settled(string sink, OutboxOutcome outcome) => Deliveries.Add(1, Sink(sink), new(TagNames.Outcome, Tag(outcome)));

    public static void Sent(string sink, TimeSpan time, Exception? failure)
    {
        if (failure is null)
        {
            Sends.Record(time.TotalSeconds, Sink(sink));
        }
        else
        {
            Sends.Record(time.TotalSeconds, Sink(sink), new(TagNames.ErrorType, failure.GetType().FullName));
        }
    }

    public static void Lag(Type context, string sink, OutboxLag? lag)
    {
        if (lag is null)
        {
            Lags.TryRemove((context, sink), out _);
        }
        else
        {
            Lags[(context, sink)] = lag;
        }
    }

    public static void Leads(Type context, string sink, int lanes) => Lanes[(context, sink)] = lanes;

    public static void Fenced(string sink) => LanesLost.Add(1, Sink(sink));

    public static KeyValuePair<string, object?> Sink(string sink) => new(TagNames.Sink, sink);

    private static IEnumerable<Measurement<long>> Counts()
        => from sink in LagsOfSinks()
           from state in ((string Name, long Count)[])
               [("undelivered", sink.Sum(l => l.Undelivered)), ("retrying", sink.Sum(l => l.Retrying)), ("delayed", sink.Sum(l => l.Delayed))]
           select new Measurement<long>(state.Count, Sink(sink.Key), new(TagNames.OutboxState, state.Name));

    private static IEnumerable<IGrouping<string, OutboxLag>> LagsOfSinks() => Lags.Values.GroupBy(l => l.Sink);

    private static string Tag(OutboxOutcome outcome) => outcome switch
    {
        OutboxOutcome.Delivered => "delivered",
        OutboxOutcome.Retried => "retried",
        OutboxOutcome.Followed => "followed",
        _ => "dead",
    };
}
