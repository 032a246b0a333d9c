using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>What an operator sees of the side that enqueues.</summary>
public sealed class EnqueueTelemetryTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_and_their_sizes_are_counted_when_they_are_saved_and_refusals_by_reason()
    {
        // Names that no other test uses tell this test's measurements from those of tests that run beside it.
        var counts = new ConcurrentQueue<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName && instrument.Name.StartsWith("efconcurrency.outbox.", StringComparison.Ordinal))
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag.Value is "telemetry.v1" or "type_not_registered")
                {
                    counts.Enqueue($"{instrument.Name["efconcurrency.outbox.".Length..]} {tag.Value} {value}");
                }
            }
        });
        listener.Start();
        await using var db = shop.Open(o => o.UseMessages(m => m.Add<Measured>("telemetry.v1")));

        db.Outbox().EnqueueAll([new Measured("a"), new Measured("bc")]);
        Assert.Empty(counts);
        await db.SaveChangesAsync(Token);
        Assert.Equal(["enqueued telemetry.v1 1", "payload.size telemetry.v1 12", "enqueued telemetry.v1 1", "payload.size telemetry.v1 13"], counts);

        Assert.Throws<OutboxMessageRefusedException>(() => db.Outbox().Enqueue(new EnqueueTelemetryTests(shop)));
        Assert.Contains("refusals type_not_registered 1", counts);
    }

    [Fact]
    public async Task Saved_and_forgotten_messages_are_logged()
    {
        using var log = new EventLog("Outbox");
        await using var db = shop.Open(options: o => o.UseLoggerFactory(log));
        db.Outbox().Enqueue(new SaleMade(1, ""));
        db.ChangeTracker.Clear();
        db.Outbox().Enqueue(new SaleMade(1, ""));
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();

        Assert.Equal([60801, 60800], log.Ids);
    }

    private sealed record Measured(string Text);
}
