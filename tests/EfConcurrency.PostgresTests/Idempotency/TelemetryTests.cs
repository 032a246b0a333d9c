using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EfConcurrency.Idempotency;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>What an operator sees; never a scope or a key.</summary>
public sealed class TelemetryTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_are_counted_traced_and_logged_by_their_outcome_without_the_key()
    {
        var key = NewKey("a scope that nobody shall see");
        var mine = new AsyncLocal<bool> { Value = true };
        using var traced = new SpanLog();
        var counts = new ConcurrentQueue<string>();
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Name == "efconcurrency.idempotency.requests")
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (mine.Value)
            {
                counts.Enqueue(string.Join(' ', tags.ToArray().Select(t => t.Value)));
            }
        });
        meters.Start();
        using var log = new EventLog();

        await RunAsync(() => Task.FromResult(new IdempotentResponse(200)));
        await RunAsync(() => Task.FromResult(new IdempotentResponse(200)));
        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => RunAsync(() => Task.FromResult(new IdempotentResponse(200)), request: 2));
        await ledger.SetAsync(key, "state = 0, locked_until = clock_timestamp() + interval '1 minute'");
        await Assert.ThrowsAsync<IdempotencyInProgressException>(() => RunAsync(() => Task.FromResult(new IdempotentResponse(200))));
        await ledger.SetAsync(key, "state = 2");
        await Assert.ThrowsAsync<IdempotencyNeedsResolutionException>(() => RunAsync(() => Task.FromResult(new IdempotentResponse(200))));
        await ledger.SetAsync(key, "state = 0, locked_until = null");
        await RunAsync(() => Task.FromResult(new IdempotentResponse(503)));
        await Assert.ThrowsAsync<InvalidDataException>(() => RunAsync(() => throw new InvalidDataException()));
        await RunAsync(() => Task.FromResult(new IdempotentResponse(200)));

        string[] outcomes = ["executed", "replayed", "reused", "in_progress", "needs_resolution", "discarded", "failed", "taken_over"];
        Assert.Equal(outcomes.Select(o => $"same_transaction {o}{(o == "failed" ? " System.IO.InvalidDataException" : "")}"), counts);
        var spans = traced.Spans;
        Assert.Equal(outcomes, spans.Select(s => (string?)s.GetTagItem("efconcurrency.outcome")));
        Assert.Equal("failed", spans.Single(s => s.Status == ActivityStatusCode.Error).GetTagItem("efconcurrency.outcome"));
        Assert.Contains(60701, log.Entries.Select(e => e.Id));
        Assert.All(
            [.. log.Entries.Select(e => e.Text), .. counts, .. spans.SelectMany(s => s.TagObjects.Select(t => $"{t.Value}"))],
            text => Assert.False(text.Contains(key.Key, StringComparison.Ordinal) || text.Contains(key.Scope, StringComparison.Ordinal), text));
        Assert.Contains(log.Entries, e => e.Text.Contains(key.Hash, StringComparison.Ordinal));

        async Task RunAsync(Func<Task<IdempotentResponse>> work, int request = 1)
        {
            await using var db = ledger.Open(loggers: log);
            await db.ExecuteIdempotentResponseAsync(key, IdempotencyFingerprint.Of(request), (_, _) => work(), cancellationToken: Token);
        }
    }

    [Fact]
    public async Task A_caller_who_cancels_is_no_error()
    {
        var key = NewKey("cancelled");
        using var traced = new SpanLog();
        using var patience = new CancellationTokenSource();
        await using var db = ledger.Open();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => db.ExecuteIdempotentResponseAsync(
            key,
            IdempotencyFingerprint.Of(1),
            async (_, token) =>
            {
                await patience.CancelAsync();
                token.ThrowIfCancellationRequested();
                return new(200);
            },
            cancellationToken: patience.Token));

        var span = Assert.Single(traced.Spans, s => s.OperationName == "efconcurrency.idempotency");
        Assert.Equal(("cancelled", ActivityStatusCode.Unset, null), (span.GetTagItem("efconcurrency.outcome"), span.Status, span.GetTagItem("error.type")));
    }
}
