using System.Collections.Concurrent;
using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

public sealed class TakeAsyncTests(DepotDatabase depot) : IClassFixture<DepotDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_workers_get_different_rows_in_order()
    {
        await using var first = depot.Open();
        await using var second = depot.Open();
        await using var one = await first.Database.BeginTransactionAsync(Token);
        await using var two = await second.Database.BeginTransactionAsync(Token);

        var mine = await first.Orders.Where(o => o.State == "new").OrderBy(o => o.Id).TakeAsync(2, Token);
        var theirs = await second.Orders.Where(o => o.State == "new").OrderByDescending(o => o.Id).TakeAsync(9, Token);

        Assert.Equal([1, 2], mine.Select(o => o.Id));
        Assert.Equal([4, 3], theirs.Select(o => o.Id));
    }

    [Fact]
    public async Task A_storm_of_workers_takes_every_row_once()
    {
        await depot.ExecuteAsync("insert into \"Crates\" (\"Id\", \"Weight\", \"Height\") select i, 0, 0 from generate_series(1000, 1199) i");
        var taken = new ConcurrentBag<int>();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(
            async () =>
            {
                while (true)
                {
                    await using var db = depot.Open();
                    await using var transaction = await db.Database.BeginTransactionAsync(Token);
                    var rows = await db.Set<Crate>().OrderBy(c => c.Id).TakeAsync(7, Token);
                    if (rows.Count == 0)
                    {
                        return;
                    }

                    db.RemoveRange(rows);
                    await db.SaveChangesAsync(Token);
                    await transaction.CommitAsync(Token);
                    rows.ForEach(r => taken.Add(r.Id));
                }
            },
            Token)));

        Assert.Equal(Enumerable.Range(1000, 200), taken.Where(i => i >= 1000).Order());
    }

    [Fact]
    public async Task A_claim_needs_a_transaction_and_a_count()
    {
        await using var db = depot.Open();

        await Assert.ThrowsAsync<RowLockTransactionRequiredException>(() => db.Orders.OrderBy(o => o.Id).TakeAsync(1, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => db.Orders.OrderBy(o => o.Id).TakeAsync(0, Token));
    }
}
