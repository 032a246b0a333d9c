using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>Which ends of a unit are errors.</summary>
public sealed class RetryTelemetryTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    [Fact]
    public async Task A_unit_that_throws_is_an_error_and_one_that_its_caller_cancels_is_none()
    {
        var mine = new AsyncLocal<bool> { Value = true };
        var counted = new ConcurrentQueue<string>();
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName && instrument.Name == "efconcurrency.retry.units")
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (mine.Value)
            {
                counted.Enqueue(string.Join(' ', tags.ToArray().Select(t => t.Value)));
            }
        });
        meters.Start();
        using var log = new SpanLog();
        var factory = ShopFactory.Create(shop.ConnectionString);
        using var patience = new CancellationTokenSource();

        await Assert.ThrowsAsync<NotSupportedException>(() => factory.RetryOnConflictAsync((_, _) => throw new NotSupportedException(), cancellationToken: TestContext.Current.CancellationToken));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => factory.RetryOnConflictAsync(
            async (_, token) =>
            {
                await patience.CancelAsync();
                token.ThrowIfCancellationRequested();
            },
            cancellationToken: patience.Token));

        Assert.Equal(["failed System.NotSupportedException", "cancelled"], counted);
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], log.Spans.Select(s => s.Status));
        Assert.Equal(["System.NotSupportedException", null], log.Spans.Select(s => s.GetTagItem("error.type")));
    }

    [Fact]
    public async Task Conflicts_and_retries_are_counted_and_traced()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var counted = new List<string>();
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        using var root = new Activity("test").Start();
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (Activity.Current?.RootId == root.RootId)
            {
                lock (counted)
                {
                    counted.Add($"{instrument.Name} {value} {string.Join(',', tags.ToArray().Select(t => t.Value))}".TrimEnd());
                }
            }
        });
        meters.Start();
        var activities = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EfConcurrencyDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = a =>
            {
                if (a.RootId == root.RootId)
                {
                    activities.Add(a);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        var attempts = 0;

        await ShopFactory.Create(shop.ConnectionString).RetryOnConflictAsync(
            async (db, token) =>
            {
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                if (++attempts == 1)
                {
                    await shop.ExecuteAsync($"update \"Counters\" set \"Version\" = \"Version\" + 1 where \"Id\" = {id}");
                }

                counter.Value++;
                await db.SaveChangesAsync(token);
            },
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(["efconcurrency.conflicts 1 Counter,version", "efconcurrency.retry.attempts 1", "efconcurrency.retry.units 1 committed"], counted);
        var activity = Assert.Single(activities);
        Assert.Equal("efconcurrency.retry_on_conflict", activity.OperationName);
        Assert.Equal(ActivityStatusCode.Unset, activity.Status); // a handled retry is no error
        Assert.Equal(2, activity.GetTagItem("efconcurrency.attempt"));
        Assert.Single(activity.Events);
    }
}
