using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.Versioning.RetryOptions;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>A unit that loses runs again, as a whole and on what the winner wrote.</summary>
public sealed class RetryOnConflictTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_unit_that_loses_runs_again_on_what_the_winner_wrote()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var attempts = 0;

        var result = await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                if (++attempts == 1)
                {
                    await shop.ChangeAsync<Counter>(id, c => c.Value = 10);
                }

                counter.Value++;
                await db.SaveChangesAsync(token);
                return counter.Value;
            },
            NoPause,
            Token);

        Assert.Equal(2, attempts);
        Assert.Equal(11, result);
        Assert.Equal(11, await shop.ScalarAsync<int>($"select \"Value\" from \"Counters\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task All_saves_of_a_unit_are_one_transaction()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var attempts = 0;
        var text = Guid.NewGuid().ToString();

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain { Text = text });
                await db.SaveChangesAsync(token);
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                if (++attempts == 1)
                {
                    await shop.ChangeAsync<Counter>(id, c => c.Value = 10);
                }

                counter.Value++;
                await db.SaveChangesAsync(token);
            },
            NoPause,
            Token);

        Assert.Equal(2, attempts);
        Assert.Equal(1L, await shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" = '{text}'"));
    }

    [Fact]
    public async Task A_unit_that_loses_every_time_ends_with_the_conflict()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var retries = new List<int>();
        var options = new RetryOnConflictOptions
        {
            MaxAttempts = 3,
            BaseDelay = TimeSpan.Zero,
            LockAfterConflicts = 0,
            OnRetry = attempt => retries.Add(attempt.Attempt),
        };

        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                await shop.ChangeAsync<Counter>(id, c => c.Value += 10);
                counter.Value++;
                await db.SaveChangesAsync(token);
            },
            options,
            Token));

        Assert.Equal([1, 2], retries);
        Assert.Equal(3, conflict.Data["EfConcurrency.Attempts"]);
    }

    [Fact]
    public async Task An_attempt_whose_failed_save_was_swallowed_is_not_committed()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var text = Guid.NewGuid().ToString();

        await Assert.ThrowsAsync<VersionConflictException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain { Text = text });
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                await shop.ChangeAsync<Counter>(id, c => c.Value += 10);
                counter.Value++;
                try
                {
                    await db.SaveChangesAsync(token);
                }
                catch (VersionConflictException)
                {
                    // A unit that believes it can go on.
                }
            },
            new RetryOnConflictOptions { MaxAttempts = 2, BaseDelay = TimeSpan.Zero, LockAfterConflicts = 0 },
            Token));

        Assert.Equal(0L, await shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" = '{text}'"));
    }

    [Fact]
    public async Task EnableRetryOnFailure_neither_refuses_the_transaction_nor_multiplies_attempts()
    {
        var factory = ShopFactory.Create(shop.ConnectionString, npgsql => npgsql.EnableRetryOnFailure(3));
        var attempts = 0;

        await Assert.ThrowsAsync<PostgresException>(() => factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                await db.Database.ExecuteSqlRawAsync("do $$ begin raise exception 'race' using errcode = '40001'; end $$", token);
            },
            new RetryOnConflictOptions { MaxAttempts = 3, BaseDelay = TimeSpan.Zero },
            Token));

        Assert.Equal(3, attempts);
    }

    [Fact]
    public async Task A_masked_conflict_is_retried_as_the_conflict_it_is()
    {
        // Both writers add the same next row under a parent they both raise: the second fails on the unique key before its parent's version is checked.
        var id = (await shop.AddAsync(new Customer { Address = new() { City = "x" } })).Id;
        var attempts = 0;

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                var customer = await db.Customers.SingleAsync(c => c.Id == id, token);
                var next = customer.Phones.Count + 1;
                if (++attempts == 1)
                {
                    await shop.ChangeAsync<Customer>(id, c => c.Phones.Add(new Phone { Id = 1, Number = "theirs" }));
                }

                customer.Phones.Add(new Phone { Id = next, Number = "mine" });
                await db.SaveChangesAsync(token);
            },
            NoPause,
            Token);

        Assert.Equal(2, attempts);
        Assert.Equal(2L, await shop.ScalarAsync<long>($"select count(*) from \"Phone\" where \"CustomerId\" = {id}"));
    }

    [Fact]
    public async Task The_form_on_a_context_empties_the_tracker_before_each_attempt()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        await using var db = shop.Open();
        await db.Counters.SingleAsync(c => c.Id == id, Token); // read before: the unit must not decide on it
        var attempts = 0;

        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                Assert.Empty(context.ChangeTracker.Entries());
                var counter = await context.Counters.SingleAsync(c => c.Id == id, token);
                if (++attempts == 1)
                {
                    await shop.ChangeAsync<Counter>(id, c => c.Value = 10);
                }

                counter.Value++;
                await context.SaveChangesAsync(token);
            },
            NoPause,
            Token);

        Assert.Equal(11, await shop.ScalarAsync<int>($"select \"Value\" from \"Counters\" where \"Id\" = {id}"));
        Assert.True(db.Database.AutoSavepointsEnabled);
    }

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit)]
    [InlineData(ConflictRetryTransaction.PerSave)]
    public async Task No_update_is_lost_on_a_hot_row(ConflictRetryTransaction transaction)
    {
        const int writers = 16, each = 10;
        var id = (await shop.AddAsync(new Counter())).Id;
        var factory = ShopFactory.Create(shop.ConnectionString);
        var options = new RetryOnConflictOptions { MaxAttempts = 100, Transaction = transaction, BaseDelay = TimeSpan.FromMilliseconds(1) };

        await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await factory.RetryOnConflictAsync(
                    async (db, token) =>
                    {
                        (await db.Counters.SingleAsync(c => c.Id == id, token)).Value++;
                        await db.SaveChangesAsync(token);
                    },
                    options,
                    Token);
            }
        }, Token)));

        Assert.Equal(writers * each, await shop.ScalarAsync<int>($"select \"Value\" from \"Counters\" where \"Id\" = {id}"));
    }
}
