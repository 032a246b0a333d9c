using EfConcurrency.Inbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>What is outside of the window goes, and nothing else.</summary>
public sealed class RetentionTests(ShopDatabase shop) : IClassFixture<ShopDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2031, 3, 14, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await shop.ExecuteAsync("truncate efc.inbox");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_day_that_left_the_window_is_emptied_and_the_others_are_not()
    {
        var ids = new Dictionary<int, string>();
        for (var age = 9; age >= 0; age--)
        {
            ids[age] = await AcceptedAtAsync(Noon.AddDays(-age));
        }

        // Nobody cleaned up on day 9 either: its partition is in use again, by day 0, and is emptied with that.
        Assert.True(await RunAsync(Noon));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 9], await RememberedAsync(ids));

        Assert.True(await RunAsync(Noon.AddDays(8)));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], await RememberedAsync(ids));
    }

    [Theory]
    [InlineData("2031-03-14T00:59:00Z", false)]
    [InlineData("2031-03-14T01:01:00Z", true)]
    [InlineData("2031-03-14T21:59:00Z", true)]
    [InlineData("2031-03-14T22:01:00Z", false)]
    public async Task Around_midnight_nothing_is_emptied(string now, bool isEmptied)
    {
        var ids = new Dictionary<int, string> { [8] = await AcceptedAtAsync(Noon.AddDays(-8)) };
        Assert.True(await RunAsync(DateTimeOffset.Parse(now, null)));
        Assert.Equal(isEmptied ? 0 : 1, (await RememberedAsync(ids)).Count);
    }

    [Fact]
    public async Task A_partition_in_which_a_transaction_has_accepted_is_left_until_that_has_ended()
    {
        var sentAt = Noon.AddDays(-8);
        await AcceptedAtAsync(sentAt.AddSeconds(-1));
        var id = Guid.CreateVersion7(sentAt);
        await using (var db = shop.Open(shop.At(sentAt)))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            Assert.True(await db.Inbox().TryAcceptAsync(Consumer, id, Token));

            Assert.False(await RunAsync(Noon));
            await transaction.CommitAsync(Token);
        }

        Assert.Equal(1, await shop.AcceptedAsync(id.ToString()));
        Assert.True(await RunAsync(Noon));
        Assert.Equal(0, await shop.AcceptedAsync(id.ToString()));
    }

    [Fact]
    public async Task The_clock_is_read_again_when_the_lock_is_held()
    {
        var own = await shop.CreateDatabaseAsync();
        await using (var db = shop.Open(own.ConnectionString))
        {
            await db.Database.EnsureCreatedAsync(Token);
            await db.Database.ExecuteSqlRawAsync(
                """
                create schema fake;
                create sequence fake.calls;
                insert into efc.inbox (slot, consumer, message_id, foreign_id) select slot, 'c', gen_random_uuid(), '' from generate_series(0, 8) slot;
                create function fake.clock_timestamp() returns timestamptz language sql as $$ select timestamptz '2031-03-14 20:00Z' + nextval('fake.calls') * interval '90 minutes' $$;
                """,
                Token);
        }

        await using (var db = shop.Open(own.ConnectionString + ";Search Path=fake, pg_catalog"))
        {
            Assert.True(await InboxRetention.Of(db, NullLogger.Instance).RunAsync(Token)); // 21:30, then 23:00
        }

        await using (var db = shop.Open(own.ConnectionString))
        {
            Assert.Equal(9, await db.Set<InboxRecord>().CountAsync(Token));
        }

        await own.DisposeAsync();
    }

    [Fact]
    public async Task Ids_without_a_day_are_deleted_by_their_age()
    {
        await shop.ExecuteAsync(
            """
            insert into efc.inbox (slot, consumer, message_id, foreign_id, accepted_at)
            select 9, 'c', gen_random_uuid(), 'evt_' || i, now() - i * interval '1 minute' from generate_series(1, 20000) i
            """);
        await using var db = shop.Open();
        Assert.True(await InboxRetention.Of(db, NullLogger.Instance).RunAsync(Token));
        Assert.Equal(7 * 24 * 60, await db.Set<InboxRecord>().CountAsync(Token), tolerance: 2);
        Assert.True(await db.Set<InboxRecord>().AllAsync(r => r.AcceptedAt > DateTimeOffset.UtcNow.AddDays(-7).AddMinutes(-2), Token));
    }

    [Fact]
    public async Task Partitions_are_found_by_what_they_hold_whatever_they_are_called()
    {
        var ids = new Dictionary<int, string> { [8] = await AcceptedAtAsync(Noon.AddDays(-8)) };
        var slot = await shop.ScalarAsync<short>("select slot from efc.inbox");
        await shop.ExecuteAsync($"create schema \"Old stuff\"; alter table efc.inbox_{slot} set schema \"Old stuff\"; alter table \"Old stuff\".inbox_{slot} rename to \"A \"\"day\"\"\"");
        Assert.True(await RunAsync(Noon));
        Assert.Empty(await RememberedAsync(ids));
    }

    [Fact]
    public async Task Another_number_of_partitions_than_the_models_is_told()
    {
        var own = await shop.CreateDatabaseAsync();
        await using (var db = shop.Open(own.ConnectionString))
        {
            await db.Database.EnsureCreatedAsync(Token);
            await db.Database.ExecuteSqlRawAsync("drop table efc.inbox_4", Token);
            var missing = await Assert.ThrowsAsync<InboxTableMissingException>(() => InboxRetention.Of(db, NullLogger.Instance).RunAsync(Token));
            Assert.Contains("should have 10 partitions, but the database has 9", missing.Message, StringComparison.Ordinal);
        }

        await own.DisposeAsync();
    }

    [Fact]
    public async Task The_process_does_it_from_time_to_time()
    {
        var ids = new Dictionary<int, string> { [8] = await AcceptedAtAsync(Noon.AddDays(-8)) };
        await using var services = shop.Services(Billing, shop.At(Noon), services: s => s.AddInboxCleanup<ShopContext>(o => o.Interval = TimeSpan.FromSeconds(1)));
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StartAsync(Token);
        }

        await Support.Eventually.IsTrueAsync(async () => (await RememberedAsync(ids)).Count == 0);
        ids[8] = await AcceptedAtAsync(Noon.AddDays(-8));
        await Support.Eventually.IsTrueAsync(async () => (await RememberedAsync(ids)).Count == 0);
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StopAsync(Token);
        }
    }

    private async Task<bool> RunAsync(DateTimeOffset now)
    {
        await using var db = shop.Open(shop.At(now));
        return await InboxRetention.Of(db, NullLogger.Instance).RunAsync(Token);
    }

    private async Task<string> AcceptedAtAsync(DateTimeOffset now)
    {
        var id = Guid.CreateVersion7(now).ToString();
        Assert.True(await AcceptTests.AcceptAsync(shop, shop.At(now), id));
        return id;
    }

    private async Task<List<int>> RememberedAsync(Dictionary<int, string> ids)
    {
        await using var db = shop.Open();
        var there = await db.Set<InboxRecord>().Select(r => r.MessageId).ToListAsync(Token);
        return [.. ids.Where(i => there.Contains(Guid.Parse(i.Value))).Select(i => i.Key).Order()];
    }
}
