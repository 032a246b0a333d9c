using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>What an operator sees.</summary>
public sealed class TelemetryTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static readonly ActivityContext Sender = new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deliveries_are_counted_measured_and_logged_by_their_outcome()
    {
        var counts = new ConcurrentQueue<string>();
        var durations = new ConcurrentQueue<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name is "efconcurrency.inbox.messages" or "efconcurrency.inbox.handle.duration")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Add(counts, tags, "efconcurrency.message.type"));
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => Add(durations, tags));
        listener.Start();
        using var log = new EventLog("Inbox");
        await using var services = shop.Services(
            (_, message, _, _) => message.Order switch { "bad" => throw new NotSupportedException(), "never" => throw new MessageRejectedException("never"), _ => Task.CompletedTask },
            services: s => s.AddMessageHandlers<ShopContext>(h => h.Consumer("telemetry").Handle<OrderPlaced, Handler>()).AddSingleton<ILoggerFactory>(log));

        var message = Message("good");
        await ProcessAsync(services, message, "telemetry");
        await ProcessAsync(services, message, "telemetry");
        await ProcessAsync(services, Message("bad"), "telemetry");
        await ProcessAsync(services, Message("never"), "telemetry");
        await Processor(services).ProcessTogetherAsync("telemetry", [message, Message("good")], Token);
        await Processor(services).ProcessTogetherAsync("telemetry", [Message("good"), Message("bad")], Token);

        Assert.Equal(((string[])["handled", "duplicate", "failed", "rejected", "duplicate", "handled"]).Select(o => $"{o} order.placed.v1"), counts);
        Assert.Equal(["handled", "duplicate", "failed", "rejected", "handled", "undone"], durations.Select(d => d.Trim()));
        Assert.Equal([60900, 60901, 60902, 60904], log.Ids);

        static void Add(ConcurrentQueue<string> to, ReadOnlySpan<KeyValuePair<string, object?>> tags, string? more = null)
        {
            var named = tags.ToArray().ToDictionary(t => t.Key, t => t.Value);
            if (Equals(named.GetValueOrDefault("efconcurrency.consumer"), "telemetry"))
            {
                to.Enqueue($"{named["efconcurrency.outcome"]} {(more is null ? "" : named[more])}");
            }
        }
    }

    [Fact]
    public async Task A_duplicate_is_counted_once_whoever_asks()
    {
        var counted = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Name == "efconcurrency.inbox.duplicates")
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (Equals(Assert.Single(tags.ToArray()).Value, "duplicates"))
            {
                Interlocked.Add(ref counted, value);
            }
        });
        listener.Start();
        await using var services = shop.Services(
            (_, _, _, _) => Task.CompletedTask, services: s => s.AddMessageHandlers<ShopContext>(h => h.Consumer("duplicates").Handle<OrderPlaced, Handler>()));
        var message = Message("once");
        await ProcessAsync(services, message, "duplicates");
        await ProcessAsync(services, message, "duplicates");
        Assert.Equal(1, counted);
        await Processor(services).ProcessTogetherAsync("duplicates", [message, Message("new")], Token);
        Assert.Equal(2, counted);

        await using var db = shop.Open();
        await using (await db.Database.BeginTransactionAsync(Token))
        {
            Assert.False(await db.Inbox().TryAcceptAsync("duplicates", message.MessageId, Token));
        }

        Assert.False(await db.Inbox().TrySaveAsync("duplicates", message.MessageId, Token));
        Assert.Equal(4, counted);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public async Task The_span_continues_the_senders_trace_or_is_linked_to_it(bool isInSpan, int messages)
    {
        var spans = new ConcurrentQueue<Activity>();
        var id = Guid.CreateVersion7().ToString();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == EfConcurrencyDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = a =>
            {
                if (a.OperationName == "efconcurrency.inbox.handle" && (Equals(a.GetTagItem("efconcurrency.message.id"), id) || a.Links.Any(l => l.Context.TraceId == Sender.TraceId)))
                {
                    spans.Enqueue(a);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var services = shop.Services(Billing);
        var message = Message("o", id) with { Headers = new Dictionary<string, string> { ["traceparent"] = $"00-{Sender.TraceId}-{Sender.SpanId}-01" } };
        Activity.Current = null;
        using (isInSpan ? new Activity("transport").Start() : null)
        {
            var result = messages == 1
                ? await ProcessAsync(services, message)
                : await Processor(services).ProcessTogetherAsync(Consumer, [message, Message("o")], Token);
            Assert.Equal(InboxOutcome.Handled, result.Outcome);
        }

        var span = Assert.Single(spans);
        Assert.Equal((ActivityKind.Consumer, "handled"), (span.Kind, span.GetTagItem("efconcurrency.outcome")));
        var isContinued = !isInSpan && messages == 1;
        Assert.Equal(isContinued, span.TraceId == Sender.TraceId);
        Assert.Equal(isContinued ? [] : [Sender.TraceId], span.Links.Select(l => l.Context.TraceId));
    }
}
