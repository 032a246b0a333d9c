using System.Globalization;
using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.Diagnostics;
using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Benchmarks.Diagnostics;

/// <summary>
/// What telemetry costs. There is no build of the library without it to compare with, so with nobody listening the cost is that of the very calls that an operation
/// makes, measured by themselves, as a share of the operation. How far two measurements of the same differ stands beside it. With a listener, ratios of medians.
/// </summary>
internal sealed class TelemetryBenchmark(string connectionString, int rounds, TimeSpan slice, Random random)
{
    private static readonly AdvisoryLockOptions LockOptions = new() { Resource = "row:{id}" };

    private readonly PooledDbContextFactory<TelemetryContext> _factory = TelemetryContext.Factory(connectionString);

    public async Task RunAsync()
    {
        await using (var db = await _factory.CreateDbContextAsync())
        {
            await db.Database.EnsureCreatedAsync();
            db.AddRange(Enumerable.Range(1, 4).Select(i => new TelemetryRow { Id = i }));
            await db.SaveChangesAsync();
        }

        await CompareAsync("A versioned save", await TrackedAsync(1, (db, _) => db.SaveChangesAsync()), "none", calls: null);
        await CompareAsync(
            "A versioned save with a message",
            await TrackedAsync(2, (db, row) =>
            {
                db.Outbox().Enqueue(new ValueRaised(row.Id, row.Value));
                return db.SaveChangesAsync();
            }),
            "2 instruments",
            Enqueued());
        await CompareAsync("A unit of RetryOnConflictAsync: read, versioned save, COMMIT", UnitAsync, "1 span, 1 instrument", Unit);
        await CompareAsync(
            "A versioned save under WithAdvisoryLockAsync",
            await TrackedAsync(4, (db, row) => db.WithAdvisoryLockAsync(row.Id, async (_, token) => await db.SaveChangesAsync(token), LockOptions)),
            "2 spans, 4 instruments",
            Lock);
    }

    private static void Unit()
    {
        using var activity = Telemetry.Activities.StartActivity(SpanNames.RetryOnConflict);
        VersioningMeter.Unit("committed");
        activity?.SetTag(TagNames.Attempt, 1);
    }

    private static void Lock()
    {
        using (var wait = LockHold.StartActivity(SpanNames.LockAcquire, LockOptions, default))
        {
            AdvisoryLocksMeter.WaitStarted(LockOptions);
            wait?.SetTag(TagNames.Outcome, "acquired");
            AdvisoryLocksMeter.WaitEnded(LockOptions, TimeSpan.FromMilliseconds(1), "acquired", isContended: false, error: null);
        }

        using (LockHold.StartActivity(SpanNames.LockHold, LockOptions, default))
        {
            AdvisoryLocksMeter.Held(LockOptions, TimeSpan.FromMilliseconds(1));
        }
    }

    private static Action Enqueued()
    {
        List<OutboxMessage> messages = [new(new MessageContract(typeof(ValueRaised), "value.raised.v1", "topic", TypeInfo: null), Guid.Empty, 0, null, "{}", [1], null)];
        return () => OutboxEnqueueMeter.Saved(messages, 1);
    }

    private async Task CompareAsync(string title, Func<Task> operation, string what, Action? calls)
    {
        Contender[] contenders =
        [
            new("nobody listens", [operation]),
            new("nobody listens, once more", [operation]),
            new("OpenTelemetry listens", [operation]) { During = () => new Listening() },
        ];
        Console.WriteLine($"### {title}");
        Console.WriteLine();
        var measured = await InterleavedRounds.RunAsync(contenders, rounds, slice, random);
        MarkdownTable.Print(measured);
        var silent = calls is null ? (Nanoseconds: 0, Bytes: 0) : CallCost.Measure(calls);
        using var listening = new Listening();
        var heard = calls is null ? (Nanoseconds: 0, Bytes: 0) : CallCost.Measure(calls);
        var operationTime = measured[0].Median * 1e9;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Its own calls ({what}): {silent.Nanoseconds:0} ns and {silent.Bytes:0} bytes while nobody listens, {silent.Nanoseconds / operationTime:0.000 %} of the operation; {heard.Nanoseconds:0} ns and {heard.Bytes:0} bytes while OpenTelemetry does, {heard.Nanoseconds / operationTime:0.00 %}."));
        Console.WriteLine();
    }

    private async Task<Func<Task>> TrackedAsync(int id, Func<TelemetryContext, TelemetryRow, Task> save)
    {
        var db = await _factory.CreateDbContextAsync();
        var row = await db.Rows.SingleAsync(r => r.Id == id);
        return () =>
        {
            row.Value++;
            return save(db, row);
        };
    }

    private Task UnitAsync() => _factory.RetryOnConflictAsync(async (db, token) =>
    {
        (await db.Rows.SingleAsync(r => r.Id == 3, token)).Value++;
        await db.SaveChangesAsync(token);
    });
}
