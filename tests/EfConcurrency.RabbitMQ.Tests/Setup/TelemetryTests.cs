using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Messaging;
using EfConcurrency.RabbitMQ.Tests.Support;

namespace EfConcurrency.RabbitMQ.Tests.Setup;

/// <summary>What operators see.</summary>
public sealed class TelemetryTests(Servers servers, NotesDatabase database) : IClassFixture<NotesDatabase>
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Fact]
    public async Task A_message_is_counted_and_its_trace_goes_on_through_broker_and_handler()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == EfConcurrencyDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var counts = new ConcurrentQueue<(string Instrument, string Destination, string? Outcome)>();
        using var meters = new MeterListener { InstrumentPublished = (i, l) => { if (i.Meter.Name == EfConcurrencyDiagnostics.MeterName && i.Name.StartsWith("messaging.", StringComparison.Ordinal)) { l.EnableMeasurementEvents(i); } } };
        meters.SetMeasurementEventCallback<long>((i, n, tags, _) => counts.Enqueue((i.Name, Tag(tags, "messaging.destination.name"), Tag(tags, "efconcurrency.outcome") is { Length: > 0 } o ? o : Tag(tags, "error.type"))));
        meters.Start();
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var (exchange, queue) = (BrokerClient.NewName("exchange"), BrokerClient.NewName("queue"));
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o =>
        {
            o.Exchange = exchange;
            o.Topology.Exchange(exchange).Queue(queue).Bind(queue, exchange, "note.*");
        });
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue);
        var headers = new Dictionary<string, string> { [MessageHeaders.TraceParent] = $"00-{TraceId}-00f067aa0ba902b7-01" };

        await sut.Transport.SendAsync(Envelopes.To("note.added", body: """{"text":"traced"}""", headers: headers), Envelopes.To("elsewhere"));

        await database.UntilNotedAsync("traced", 1);
        await Eventually.IsTrueAsync(() => spans.Any(s => s.DisplayName == $"process {queue}"));
        var send = Assert.Single(spans, s => s.DisplayName == $"send {exchange}");
        Assert.Equal(("rabbitmq", 2, TraceId), (send.GetTagItem("messaging.system"), send.GetTagItem("messaging.batch.message_count"), Assert.Single(send.Links).Context.TraceId.ToString()));
        var process = spans.Single(s => s.DisplayName == $"process {queue}");
        Assert.Equal((ActivityKind.Consumer, TraceId, "handled"), (process.Kind, process.TraceId.ToString(), process.GetTagItem("efconcurrency.outcome")));
        Assert.Contains(("messaging.client.sent.messages", exchange, ""), counts);
        Assert.Contains(("messaging.client.sent.messages", exchange, "Unroutable"), counts);
        Assert.Contains(("messaging.client.consumed.messages", queue, "handled"), counts);
    }

    [Fact]
    public async Task A_dead_letter_is_counted_once_with_its_reason_and_its_attempts_are_measured_each()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        var seen = new ConcurrentQueue<string>();
        using var meters = new MeterListener
        {
            InstrumentPublished = (i, l) =>
            {
                if (i.Name is "messaging.client.consumed.messages" or "messaging.process.duration")
                {
                    l.EnableMeasurementEvents(i);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((_, n, tags, _) => Add(tags));
        meters.SetMeasurementEventCallback<double>((_, _, tags, _) => Add(tags));
        meters.Start();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri);
        var script = new Script { OnAttempt = (_, _) => throw new InvalidOperationException("poison") };
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script, o => o.MaxAttempts = 2);

        await sut.Transport.SendAsync(Envelopes.To(queue, body: """{"text":"poison"}"""));

        await client.UntilCountIsAsync(queue + ".dead", 1);
        await Eventually.IsTrueAsync(() => seen.Count == 3);
        Assert.Equal(["failed System.InvalidOperationException", "failed System.InvalidOperationException", "dead attempts"], seen);

        void Add(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (Tag(tags, "messaging.destination.name") == queue)
            {
                seen.Enqueue($"{Tag(tags, "efconcurrency.outcome")} {Tag(tags, "error.type")}");
            }
        }
    }

    private static string Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach (var (key, value) in tags)
        {
            if (key == name)
            {
                return (string)value!;
            }
        }

        return "";
    }
}
