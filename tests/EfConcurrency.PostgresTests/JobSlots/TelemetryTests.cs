using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.JobSlots;
using EfConcurrency.PostgresTests.Support;
using static EfConcurrency.PostgresTests.JobSlots.SlotDatabase;

namespace EfConcurrency.PostgresTests.JobSlots;

/// <summary>What an operator sees.</summary>
public sealed class TelemetryTests(SlotDatabase database) : IClassFixture<SlotDatabase>
{
    private static readonly JobSlotOptions AtLeastOnce = new() { Mode = JobSlotMode.AtLeastOnce };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claims_are_counted_traced_and_logged_by_their_outcome()
    {
        var job = NewJob();
        using var meter = new Measured(job);
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == EfConcurrencyDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = a =>
            {
                if (Equals(a.GetTagItem("efconcurrency.job"), job))
                {
                    spans.Enqueue(a);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var log = new EventLog("JobSlots");
        var slots = database.Slots(loggers: log);

        var late = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token);
        await database.ExpireAsync(job);
        var handle = Handle(await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token));
        await handle.CompleteAsync(cancellationToken: Token);
        await Assert.ThrowsAsync<JobSlotLostException>(() => late.CompleteAsync(cancellationToken: Token));
        await slots.TryClaimAsync(job, Midnight, AtLeastOnce, Token);
        await Assert.ThrowsAsync<OperationCanceledException>(() => slots.TryClaimAsync(job, Midnight, AtLeastOnce, new(canceled: true)));
        await using var empty = await database.CreateDatabaseAsync();
        await Assert.ThrowsAsync<JobSlotTableMissingException>(() => database.Slots(empty.ConnectionString).TryClaimAsync(job, Midnight, AtLeastOnce, Token));

        string[] outcomes = ["claimed", "already_claimed", "reclaimed", "completed", "cancelled", "failed"];
        Assert.Equal(
            ["claims claimed", "claims already_claimed", "claims reclaimed", "completions completed", "completions lost", "claims completed", "claims cancelled", "claims failed"],
            meter.Counts);
        Assert.All(spans, s => Assert.Equal("efconcurrency.job_slot.claim", s.OperationName));
        Assert.Equal(outcomes, spans.Select(s => (string?)s.GetTagItem("efconcurrency.outcome")));
        Assert.Equal([.. Enumerable.Repeat(ActivityStatusCode.Unset, 5), ActivityStatusCode.Error], spans.Select(s => s.Status));
        Assert.Equal([60400, 60401, 60402], log.Ids);
    }

    private sealed class Measured : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<string> _counts = new();

        public Measured(string job)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) =>
            {
                var named = tags.ToArray().ToDictionary(t => t.Key, t => t.Value);
                if (Equals(named.GetValueOrDefault("efconcurrency.job"), job))
                {
                    _counts.Enqueue($"{instrument.Name.Split('.')[^1]} {named["efconcurrency.outcome"]}");
                }
            });
            _listener.Start();
        }

        public IEnumerable<string> Counts => _counts;

        public void Dispose() => _listener.Dispose();
    }
}
