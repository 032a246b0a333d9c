using System.Diagnostics;
using EfConcurrency.Diagnostics;
using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Outbox;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Tests.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using static EfConcurrency.PostgresTests.Telemetry.Collector;

namespace EfConcurrency.PostgresTests.Telemetry;

/// <summary>What the real SDK gets to see after <c>AddEfConcurrencyInstrumentation()</c>.</summary>
public sealed class OpenTelemetryTests(TracedDatabase database) : IClassFixture<TracedDatabase>
{
    private static readonly double[] Seconds = [.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 30, 60, double.PositiveInfinity];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_and_spans_of_a_save_a_lock_a_lease_and_a_delivery_arrive_and_name_no_keys()
    {
        using var collector = new Collector();
        using var root = new Activity("test").Start();
        var resource = $"invoice:{{{Guid.NewGuid()}}}";
        var (lockKey, leaseName) = ($"invoice:{Guid.NewGuid()}", $"lease {Guid.NewGuid()}");
        var transport = new Recorder();

        await SaveAfterConflictAsync();
        Guid lockId;
        await using (var db = database.CreateDbContext())
        {
            lockId = await db.WithAdvisoryLockAsync(lockKey, (held, _) => Task.FromResult(held.Id), new() { Resource = resource }, Token);
            await using var lease = (await db.Leases().TryAcquireAsync(leaseName, cancellationToken: Token)).Lease!;
            var held = collector.Collect();
            Assert.True(held.Single(p => p.Name == "efconcurrency.lease.held").Count >= 1);
            Assert.InRange(held.Single(p => p.Name == "efconcurrency.lease.remaining.min").Count, 0, 30);
        }

        await using var services = Services(transport);
        var dispatcher = services.GetRequiredService<IHostedService>();
        await dispatcher.StartAsync(Token);
        await Eventually.IsTrueAsync(() => collector.Collect().Any(p => p.Name == "efconcurrency.outbox.deliveries" && Equals(p.Tags["efconcurrency.sink"], transport.Sink)));
        await Eventually.IsTrueAsync(() => collector.Activities.Any(a => a.DisplayName == $"send {transport.Sink}"));
        await Eventually.IsTrueAsync(() => collector.Collect().Any(p => p.Name == "efconcurrency.outbox.dead_letter.count" && Equals(p.Tags["efconcurrency.sink"], transport.Sink)));
        var points = collector.Collect();
        await dispatcher.StopAsync(Token);

        // Metrics.
        Assert.True(Of("efconcurrency.conflicts", "efconcurrency.entity", nameof(TracedPart)).Count >= 1);
        Assert.Equal(1, Of("efconcurrency.outbox.enqueued", "efconcurrency.message.type", "traced.v1").Count);
        Assert.Contains(points, p => p.Name == "efconcurrency.retry.units" && Equals(p.Tags["efconcurrency.outcome"], "committed"));
        Assert.Equal((1, "acquired", "exclusive"), Lock(Of("distributed_lock.acquisition.duration", "efconcurrency.lock.resource", resource)));
        Assert.Equal(Seconds, Of("distributed_lock.hold.duration", "efconcurrency.lock.resource", resource).Bounds);
        Assert.Equal(64, Of("efconcurrency.outbox.payload.size", "efconcurrency.message.type", "traced.v1").Bounds[0]);
        Assert.Equal((1, "delivered"), (Of("efconcurrency.outbox.deliveries", "efconcurrency.sink", transport.Sink) is var sent ? (sent.Count, sent.Tags["efconcurrency.outcome"]) : default));
        Assert.Equal(1, Of("efconcurrency.outbox.send.duration", "efconcurrency.sink", transport.Sink).Count);
        Assert.InRange(Of("efconcurrency.outbox.oldest_pending.age", "efconcurrency.sink", transport.Sink).Count, 0, 120);

        // Spans, each where it belongs; a conflict that was tried again is no error.
        var mine = collector.Activities.Where(a => a.TraceId == root.TraceId).ToList();
        var unit = Span("efconcurrency.retry_on_conflict");
        Assert.Equal((ActivityStatusCode.Unset, 2, 1), (unit.Status, unit.GetTagItem("efconcurrency.attempt"), unit.Events.Count()));
        Assert.Equal(lockId, Span("efconcurrency.advisory_lock.acquire").GetTagItem("efconcurrency.lock.id"));
        Assert.Equal(lockId, Span("efconcurrency.advisory_lock.hold").GetTagItem("efconcurrency.lock.id"));
        Assert.Equal((leaseName, "acquired"), (Span("efconcurrency.lease.acquire").GetTagItem("efconcurrency.resource"), Span("efconcurrency.lease.acquire").GetTagItem("efconcurrency.outcome")));
        var send = collector.Activities.Single(a => a.DisplayName == $"send {transport.Sink}");
        Assert.Equal(unit.SpanId, Assert.Single(send.Links).Context.SpanId);

        // Keys are in spans only.
        string[] secret = [lockKey, leaseName, lockId.ToString(), transport.Envelopes.Single().MessageId.ToString(), root.TraceId.ToString()];
        Assert.DoesNotContain(points.SelectMany(p => p.Tags.Values).Select(v => $"{v}"), v => secret.Any(s => v.Contains(s, StringComparison.Ordinal)));

        // All of it, and what other tests did meanwhile, is as the page says.
        var page = TelemetryPage.Read();
        Assert.Empty(points.Where(p => !p.Tags.ContainsKey("otel.metric.overflow")).SelectMany(p => page.Violations(p.Name, p.Tags)));
        Assert.Empty(collector.Activities.SelectMany(a => page.SpanViolations(a.DisplayName, a.TagObjects)));
        Assert.All(points, p => Assert.StartsWith($"{EfConcurrencyDiagnostics.MeterName} 0.", p.Scope, StringComparison.Ordinal));

        Point Of(string name, string tag, string value) => Assert.Single(points, p => p.Name == name && Equals(p.Tags.GetValueOrDefault(tag), value));
        Activity Span(string name) => Assert.Single(mine, a => a.OperationName == name);
        static (double, object?, object?) Lock(Point point) => (point.Count, point.Tags["efconcurrency.outcome"], point.Tags["efconcurrency.lock.mode"]);
    }

    [Fact]
    public void The_extensions_ask_for_a_builder()
    {
        Assert.Throws<ArgumentNullException>(() => ((MeterProviderBuilder)null!).AddEfConcurrencyInstrumentation());
        Assert.Throws<ArgumentNullException>(() => ((TracerProviderBuilder)null!).AddEfConcurrencyInstrumentation());
    }

    /// <summary>Another writer comes first, once; a message goes with the second attempt.</summary>
    private Task SaveAfterConflictAsync()
    {
        var attempts = 0;
        return database.RetryOnConflictAsync(
            async (db, token) =>
            {
                var part = await db.Parts.SingleAsync(token);
                if (++attempts == 1)
                {
                    await database.ExecuteAsync("update \"Parts\" set \"Version\" = \"Version\" + 1");
                }

                part.Stock++;
                db.Outbox().Enqueue(new TracedMessage("hello"));
                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token);
    }

    private ServiceProvider Services(IOutboxTransport transport)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(transport);
        services.AddDbContext<TracedContext>(o => database.Configure(o));
        services.AddOutboxDispatcher<TracedContext>(o => o.StartAt = OutboxStart.Beginning);
        return services.BuildServiceProvider();
    }
}
