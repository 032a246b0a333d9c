using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Diagnostics;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.AdvisoryLocks;

public sealed class TelemetryTests(LockDatabase database) : IClassFixture<LockDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquisitions_holds_waiters_and_contentions_are_counted_by_the_callers_template()
    {
        var options = new AdvisoryLockOptions { Resource = $"invoice:{Guid.NewGuid()}", Timeout = TimeSpan.FromMinutes(1) };
        using var meter = new Listener(options.Resource);
        await using var db = database.Open();
        AdvisoryKey key = "invoice:4711";

        await db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, options, Token);
        var holder = await database.HoldAsync(key);
        var waiting = db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, options, Token);
        await database.UntilWaitingForLocksAsync(1);
        Assert.Equal(1, meter.Sum("distributed_lock.waiter.count"));
        await holder.DisposeAsync();
        await waiting;

        Assert.Equal(0, meter.Sum("distributed_lock.waiter.count"));
        Assert.Equal(1, meter.Sum("distributed_lock.contentions"));
        Assert.Equal(["acquired", "acquired"], meter.Of("distributed_lock.acquisition.duration").Select(m => m.Tags["efconcurrency.outcome"]));
        Assert.Equal(2, meter.Of("distributed_lock.hold.duration").Count());
        Assert.DoesNotContain(meter.All, m => m.Tags.Values.Any(v => v is string text && text.Contains("4711", StringComparison.Ordinal)));
        Assert.All(meter.All, m => Assert.Equal(("exclusive", "transaction"), (m.Tags["efconcurrency.lock.mode"], m.Tags["efconcurrency.lock.scope"])));
    }

    [Fact]
    public async Task Failures_are_told_apart_by_outcome()
    {
        var options = new AdvisoryLockOptions { Resource = Guid.NewGuid().ToString(), Timeout = TimeSpan.FromMilliseconds(50) };
        using var meter = new Listener(options.Resource);
        AdvisoryKey key = "held";
        await using var holder = await database.HoldAsync(key);
        await using var db = database.Open();

        await db.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, options, Token);
        await db.TryWithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, new() { Resource = options.Resource }, Token);
        await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, options, Token));
        using (var patience = new CancellationTokenSource())
        {
            var waiting = db.WithAdvisoryLockAsync(key, (_, _) => Task.CompletedTask, new() { Resource = options.Resource }, patience.Token);
            await database.UntilWaitingForLocksAsync(1);
            await patience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        var waits = meter.Of("distributed_lock.acquisition.duration").ToList();
        Assert.Equal(["timeout", "busy", "timeout", "cancelled"], waits.Select(m => m.Tags["efconcurrency.outcome"]));
        Assert.Equal([null, null, "timeout", null], waits.Select(m => m.Tags.GetValueOrDefault("error.type")));
        Assert.Equal(4, meter.Sum("distributed_lock.contentions"));
        Assert.Empty(meter.Of("distributed_lock.hold.duration"));
    }

    [Fact]
    public async Task A_lock_that_rides_is_counted_once()
    {
        var options = new AdvisoryLockOptions { Resource = Guid.NewGuid().ToString(), Timeout = TimeSpan.FromMilliseconds(50) };
        using var meter = new Listener(options.Resource);
        AdvisoryKey key = "ridden";
        await using var db = database.Open();
        db.Add(new Tally());
        var none = db.Tallies.Where(t => t.Id == -1);
        await using (await database.HoldAsync(key))
        {
            await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.SaveChangesUnderAdvisoryLockAsync(key, options, Token));
            await Assert.ThrowsAsync<AdvisoryLockTimeoutException>(() => db.ExecuteDeleteUnderAdvisoryLockAsync(key, none, options, Token));
        }

        await database.UntilFreeAsync(key);
        await db.SaveChangesUnderAdvisoryLockAsync(key, options, Token);
        await db.ExecuteDeleteUnderAdvisoryLockAsync(key, none, options, Token);

        Assert.Equal(["timeout", "timeout", "acquired", "acquired"], meter.Of("distributed_lock.acquisition.duration").Select(m => m.Tags["efconcurrency.outcome"]));
        Assert.Equal(2, meter.Sum("distributed_lock.contentions"));
        Assert.Equal(0, meter.Sum("distributed_lock.waiter.count"));
    }

    [Fact]
    public async Task In_a_callers_transaction_the_hold_lasts_until_its_end()
    {
        var options = new AdvisoryLockOptions { Resource = Guid.NewGuid().ToString() };
        using var meter = new Listener(options.Resource);
        await using var db = database.Open();
        foreach (var commits in (bool[])[true, false])
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            await db.WithAdvisoryLockAsync("callers", (_, _) => Task.CompletedTask, options, Token);
            Assert.Equal(commits ? 0 : 1, meter.Of("distributed_lock.hold.duration").Count());
            await (commits ? transaction.CommitAsync(Token) : transaction.RollbackAsync(Token));
        }

        Assert.Equal(2, meter.Of("distributed_lock.hold.duration").Count());
    }

    [Fact]
    public async Task The_spans_of_one_acquisition_carry_its_id()
    {
        var resource = Guid.NewGuid().ToString();
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == EfConcurrencyDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var db = database.Open();

        var id = await db.WithAdvisoryLockAsync("spans", (held, _) => Task.FromResult(held.Id), new() { Resource = resource }, Token);

        var mine = spans.Where(s => (string?)s.GetTagItem("efconcurrency.lock.resource") == resource).ToList();
        Assert.Equal(["efconcurrency.advisory_lock.acquire", "efconcurrency.advisory_lock.hold"], mine.Select(s => s.OperationName));
        Assert.All(mine, s => Assert.Equal(id, s.GetTagItem("efconcurrency.lock.id")));
        Assert.Equal("acquired", mine[0].GetTagItem("efconcurrency.outcome"));
    }

    private sealed class Listener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<Measurement> _all = new();

        public Listener(string resource)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Add(i, v, tags));
            _listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Add(i, v, tags));
            _listener.Start();

            void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
            {
                var measurement = new Measurement(instrument.Name, value, tags.ToArray().ToDictionary());
                if (measurement.Tags.TryGetValue("efconcurrency.lock.resource", out var r) && (string?)r == resource)
                {
                    _all.Enqueue(measurement);
                }
            }
        }

        public IEnumerable<Measurement> All => _all;

        public IEnumerable<Measurement> Of(string instrument) => _all.Where(m => m.Instrument == instrument);

        public double Sum(string instrument) => Of(instrument).Sum(m => m.Value);

        public void Dispose() => _listener.Dispose();
    }

    private sealed record Measurement(string Instrument, double Value, Dictionary<string, object?> Tags);
}
