using System.Globalization;
using EfConcurrency.Inbox;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>An id of version 7 is accepted while its day is remembered, by the database's clock.</summary>
public sealed class WindowTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private const int WindowDays = 7;

    /// <summary>Years from the application's clock, so that a test would fail if that were asked.</summary>
    private static readonly DateTimeOffset Now = new(2031, 3, 4, 15, 16, 17, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("-7.00:00:00.001", false)]
    [InlineData("-7.00:00:00", true)]
    [InlineData("-3.00:00:00", true)]
    [InlineData("00:00:00", true)]
    [InlineData("01:00:00", true)]
    [InlineData("01:00:00.001", false)]
    [InlineData("2000000.00:00:00", false)]
    public async Task Ids_are_accepted_from_the_windows_first_instant_to_an_hour_ahead(string age, bool isInside)
    {
        var sentAt = Now + TimeSpan.Parse(age, CultureInfo.InvariantCulture);
        var id = Guid.CreateVersion7(sentAt);
        foreach (var rides in (bool[])[false, true])
        {
            await using var db = shop.Open(shop.At(Now));
            db.Add(new Bill { Order = id.ToString() });
            await using var transaction = rides ? null : await db.Database.BeginTransactionAsync(Token);
            var accept = () => rides ? db.Inbox().TrySaveAsync("rides", id, Token) : db.Inbox().TryAcceptAsync("first", id, Token);
            if (isInside)
            {
                Assert.True(await accept());
                continue;
            }

            var outside = await Assert.ThrowsAsync<InboxMessageOutsideWindowException>(accept);
            Assert.Equal((id, sentAt, Now, WindowDays, sentAt > Now), (outside.MessageId, outside.SentAt, outside.DatabaseTime, outside.WindowDays, outside.IsFromFuture));
            Assert.Equal(rides ? "rides" : "first", outside.Consumer);
            if (!rides)
            {
                Assert.Equal(0, await db.Bills.CountAsync(b => b.Order == "still usable", Token));
                await transaction!.CommitAsync(Token);
            }

            Assert.Equal(0, await shop.BillsAsync(id.ToString()));
            Assert.Equal(0, await shop.AcceptedAsync(id.ToString()));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(23)]
    public async Task A_duplicate_meets_its_first_copy_on_every_day_of_the_window(int hour)
    {
        var sentAt = new DateTimeOffset(2031, 5, 1, hour, 59, 59, TimeSpan.Zero);
        string[] ids = [Guid.CreateVersion7(sentAt).ToString(), Guid.NewGuid().ToString(), "evt_" + NewOrder()];
        foreach (var id in ids)
        {
            Assert.True(await AcceptTests.AcceptAsync(shop, shop.At(sentAt), id));
            for (var day = 0; day <= WindowDays; day++)
            {
                Assert.False(await AcceptTests.AcceptAsync(shop, shop.At(sentAt.AddDays(day)), id));
            }
        }
    }

    [Fact]
    public void The_days_that_can_be_accepted_at_one_time_have_partitions_of_their_own()
    {
        for (var windowDays = 1; windowDays <= 30; windowDays++)
        {
            foreach (var hour in Enumerable.Range(0, 48))
            {
                var now = Now.Date.AddHours(hour);
                var days = Enumerable.Range(0, ((windowDays * 24) + 2) * 4).Select(q => now.AddDays(-windowDays).AddMinutes(15 * q)).Where(t => t <= now.AddHours(1));
                var slots = days.GroupBy(t => InboxKey.Of(Guid.CreateVersion7(new DateTimeOffset(t, TimeSpan.Zero))).Slot(windowDays));
                Assert.All(slots, slot => Assert.Single(slot.Select(t => t.Date).Distinct()));
                Assert.All(slots, slot => Assert.InRange(slot.Key, 0, windowDays + 1));
            }
        }
    }

    [Fact]
    public async Task An_old_transaction_is_judged_by_the_clock_and_not_by_its_start()
    {
        await using var db = shop.Open(shop.At(Now));
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var id = Guid.CreateVersion7(Now.AddDays(-WindowDays));
        await db.Bills.CountAsync(Token);
        await db.Database.ExecuteSqlRawAsync($"set fake.now = '{Now.AddSeconds(1):O}'", Token);
        await Assert.ThrowsAsync<InboxMessageOutsideWindowException>(() => db.Inbox().TryAcceptAsync(Consumer, id, Token));
    }
}
