using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
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
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == EfConcurrencyDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => mine.Value ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
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
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], spans.Select(s => s.Status));
        Assert.Equal(["System.NotSupportedException", null], spans.Select(s => s.GetTagItem("error.type")));
    }
}
