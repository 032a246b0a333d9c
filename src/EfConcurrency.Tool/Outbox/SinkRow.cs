using EfConcurrency.Outbox;

namespace EfConcurrency.Tool.Outbox;

/// <summary>A sink, as it is shown.</summary>
internal sealed record SinkRow(
    string Sink, long Undelivered, long Retrying, long Delayed, long Dead, double? OldestSeconds, int Lanes, int LanesLed, IReadOnlyList<DispatcherRow> Dispatchers)
{
    public static SinkRow Of(OutboxSinkState sink, OutboxLag lag, DateTimeOffset now)
    {
        var led = sink.Lanes.Where(l => l.Owner is not null && l.LeaseUntil > now).ToLookup(l => l.Owner, StringComparer.Ordinal);
        return new(
            sink.Sink,
            lag.Undelivered,
            lag.Retrying,
            lag.Delayed,
            lag.Dead,
            lag.OldestAge?.TotalSeconds,
            sink.Lanes.Count,
            led.Sum(l => l.Count()),
            [.. sink.Dispatchers.Select(d => new DispatcherRow(d.Name, d.LiveUntil > now, led[d.Owner].Count(), d.StartedAt, d.Failure))]);
    }
}
