using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EfConcurrency.Diagnostics;
using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>What an operator sees of row locks.</summary>
public sealed class TelemetryTests(DepotDatabase depot) : IClassFixture<DepotDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queries_that_lock_are_measured_by_outcome_and_only_what_the_caller_did_not_ask_for_is_an_error()
    {
        var mine = new AsyncLocal<bool> { Value = true };
        var measured = new ConcurrentQueue<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == EfConcurrencyDiagnostics.MeterName && instrument.Name == "efconcurrency.row_lock.acquisition.duration")
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
        {
            if (mine.Value)
            {
                Assert.True(value > 0);
                measured.Enqueue(string.Join(' ', tags.ToArray().Select(t => t.Value)));
            }
        });
        listener.Start();
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        await db.Orders.Where(o => o.Id == 1).ForUpdate().ToListAsync(Token);
        await db.Orders.AsNoTracking().ToListAsync(Token);
        await using (await depot.LockOrderElsewhereAsync(2))
        {
            await db.Orders.Where(o => o.Id < 3).OrderBy(o => o.Id).TakeAsync(5, Token);
            await Assert.ThrowsAsync<RowLockUnavailableException>(() => db.Orders.Where(o => o.Id == 2).ForUpdate(RowLockWait.NoWait).ToListAsync(Token));
            await Assert.ThrowsAsync<RowLockUnavailableException>(() => db.Orders.Where(o => o.Id == 2).ForUpdate(RowLockWait.Wait(TimeSpan.FromMilliseconds(20))).ToListAsync(Token));
            using var patience = new CancellationTokenSource();
            var waiting = db.Orders.Where(o => o.Id == 2).ForUpdate(RowLockWait.Wait(TimeSpan.FromMinutes(1))).ToListAsync(patience.Token);
            await depot.UntilWaitingForLocksAsync(1);
            await patience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => db.Orders.Where(o => o.CustomerId / (o.Id - o.Id) == 1).ForShare().ToListAsync(Token));

        Assert.Equal(
            ["unlimited acquired", "skip_locked acquired", "no_wait busy", "limited timeout timeout", "limited cancelled", "unlimited failed Npgsql.PostgresException"],
            measured);
    }
}
