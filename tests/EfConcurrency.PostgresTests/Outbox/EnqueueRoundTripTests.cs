using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>Messages cost no round trip, counted at the wire.</summary>
public sealed class EnqueueRoundTripTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 1, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(0, 500, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(1, 1, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(1, 10, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(7, 500, ServerJudgedSaves.WhenAvailable, 1)]
    [InlineData(20, 10, ServerJudgedSaves.WhenAvailable, 2)]
    [InlineData(0, 10, ServerJudgedSaves.Never, 1)]
    [InlineData(1, 1, ServerJudgedSaves.Never, 2)]
    [InlineData(20, 10, ServerJudgedSaves.Never, 2)]
    public async Task A_save_with_messages(int rows, int messages, ServerJudgedSaves judge, int expected)
    {
        await using var proxy = shop.StartProxy();
        var sales = await shop.AddSalesAsync(rows);
        await using var db = shop.Open(o => o.UseServerJudgedSaves(judge), proxy.ConnectionString);
        await WarmUpAsync(db);
        db.AttachRange(sales);
        sales.ForEach(s => s.Number = 7);
        var ids = db.Outbox().EnqueueAll(Enumerable.Range(0, messages).Select(i => new SaleMade(i, "")));

        var trips = proxy.CountRoundTrips();
        await db.SaveChangesAsync(Token);

        Assert.Equal(expected, trips.Count);
        Assert.Equal(1, await shop.CopiesAsync(ids[^1]));
    }

    [Fact]
    public async Task A_save_in_a_unit_of_RetryOnConflict()
    {
        await using var proxy = shop.StartProxy();
        await using var db = shop.Open(connectionString: proxy.ConnectionString);
        await WarmUpAsync(db);
        var trips = proxy.CountRoundTrips();

        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                context.Add(new Sale());
                context.Outbox().Enqueue(new SaleMade(1, ""));
                await context.SaveChangesAsync(token);
            },
            cancellationToken: Token);

        Assert.Equal(2, trips.Count); // BEGIN and save, COMMIT
    }

    private static async Task WarmUpAsync(EnqueueContext db)
    {
        db.Add(new Sale());
        db.Outbox().Enqueue(new SaleMade(1, ""));
        await db.SaveChangesAsync(Token);
    }
}
