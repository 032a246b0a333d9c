using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Outbox;
using Microsoft.Extensions.Logging.Abstractions;

namespace EfConcurrency.Tests.Outbox;

public sealed class OutboxMeterTests
{
    [Fact]
    public void Two_databases_with_sinks_of_one_name_are_told_together()
    {
        const string Sink = "told together";
        OutboxReport orders = new(typeof(int), Sink, NullLoggerFactory.Instance), stock = new(typeof(long), Sink, NullLoggerFactory.Instance);
        orders.Leads(3);
        stock.Leads(4);
        orders.Lag(new(Sink, Undelivered: 5, Retrying: 1, Delayed: 0, Dead: 2, OldestAge: TimeSpan.FromSeconds(30)));
        stock.Lag(new(Sink, Undelivered: 7, Retrying: 0, Delayed: 0, Dead: 1, OldestAge: null));

        Assert.Equal([7, 30, 3, 12, 1, 0], Told(Sink));

        orders.Lag(null); // another process measures it now
        Assert.Equal([7, 0, 1, 7, 0, 0], Told(Sink));
    }

    /// <summary>Lanes, age, dead letters, and undelivered, retrying, delayed; each once.</summary>
    private static double[] Told(string sink)
    {
        var told = new List<(string Instrument, string? State, double Value)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName)
            {
                listening.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return
        [
            .. from name in (string[])["lanes", "oldest_pending.age", "dead_letter.count"] select Single(name, null),
            .. from state in (string[])["undelivered", "retrying", "delayed"] select Single("pending.count", state),
        ];

        double Single(string name, string? state) => Assert.Single(told, t => t.Instrument == $"efconcurrency.outbox.{name}" && t.State == state).Value;

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = tags.ToArray().ToDictionary(t => t.Key, t => t.Value);
            if (instrument.IsObservable && sink.Equals(all.GetValueOrDefault("efconcurrency.sink")))
            {
                told.Add((instrument.Name, (string?)all.GetValueOrDefault("efconcurrency.outbox.state"), value));
            }
        }
    }
}
