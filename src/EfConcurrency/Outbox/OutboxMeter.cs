using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;

namespace EfConcurrency.Outbox;

/// <summary>Instruments about delivery. Tagged with the sink: sinks are few.</summary>
internal static class OutboxMeter
{
    private static readonly ConcurrentDictionary<string, int> Lanes = new(StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, OutboxLag> Lags = new(StringComparer.Ordinal);

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
            "efconcurrency.outbox.lanes", () => Lanes.Select(l => new Measurement<int>(l.Value, Sink(l.Key))), "{lane}", "Lanes that this process leads.");
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.outbox.oldest_pending.age",
            () => Lags.Values.Select(l => new Measurement<double>(l.OldestAge?.TotalSeconds ?? 0, Sink(l.Sink))),
            "s",
            "Age of the oldest message that is not delivered; measured by one process for all, every 10 s.");
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.outbox.pending.count", Counts, "{message}", "Messages that will be delivered, by what they wait for; measured by one process for all, every 10 s.");
        Telemetry.Meter.CreateObservableGauge(
            "efconcurrency.outbox.dead_letter.count",
            () => Lags.Values.Select(l => new Measurement<long>(l.Dead, Sink(l.Sink))),
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

    public static void Lag(string sink, OutboxLag? lag)
    {
        if (lag is null)
        {
            Lags.TryRemove(sink, out _);
        }
        else
        {
            Lags[sink] = lag;
        }
    }

    public static void Leads(string sink, int lanes) => Lanes[sink] = lanes;

    public static void Fenced(string sink) => LanesLost.Add(1, Sink(sink));

    public static KeyValuePair<string, object?> Sink(string sink) => new(TagNames.Sink, sink);

    private static IEnumerable<Measurement<long>> Counts()
        => from lag in Lags.Values
           from state in ((string Name, long Count)[])[("undelivered", lag.Undelivered), ("retrying", lag.Retrying), ("delayed", lag.Delayed)]
           select new Measurement<long>(state.Count, Sink(lag.Sink), new(TagNames.OutboxState, state.Name));

    private static string Tag(OutboxOutcome outcome) => outcome switch
    {
        OutboxOutcome.Delivered => "delivered",
        OutboxOutcome.Retried => "retried",
        OutboxOutcome.Followed => "followed",
        _ => "dead",
    };
}
