using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using static EfConcurrency.PostgresTests.Versioning.RetryOptions;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>What a unit of RetryOnConflict leaves to be done after its commit.</summary>
public sealed class AfterCommitTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Callbacks_run_once_after_the_commit_of_the_attempt_that_succeeded()
    {
        var id = (await shop.AddAsync(new Counter())).Id;
        var told = new List<string>();
        var attempts = 0;

        await shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                var attempt = ++attempts;
                var counter = await db.Counters.SingleAsync(c => c.Id == id, token);
                if (attempt == 1)
                {
                    await shop.ChangeAsync<Counter>(id, c => c.Value = 10);
                }

                counter.Value++;
                db.AfterCommit(async _ => told.Add($"first of attempt {attempt}, value {await shop.ScalarAsync<int>($"select \"Value\" from \"Counters\" where \"Id\" = {id}")}"));
                db.AfterCommit(_ =>
                {
                    told.Add("second");
                    return Task.CompletedTask;
                });
                await db.SaveChangesAsync(token);
            },
            NoPause,
            Token);

        Assert.Equal(["first of attempt 2, value 11", "second"], told);
    }

    [Fact]
    public async Task A_callback_that_fails_does_not_hide_that_the_work_is_committed()
    {
        var text = Guid.NewGuid().ToString();
        var attempts = 0;

        await Assert.ThrowsAsync<AfterCommitException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                db.Add(new Plain { Text = text });
                db.AfterCommit(_ => throw new DbUpdateConcurrencyException("looks like a conflict"));
                await db.SaveChangesAsync(token);
            },
            NoPause,
            Token));

        Assert.Equal(1, attempts);
        Assert.Equal(1L, await shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" = '{text}'"));
    }

    [Fact]
    public async Task Outside_of_a_unit_there_is_no_commit_to_follow()
    {
        await using var db = shop.Open();
        Assert.Throws<InvalidOperationException>(() => db.AfterCommit(_ => Task.CompletedTask));
    }

    [Fact]
    public async Task A_pooled_context_takes_nothing_of_a_unit_to_its_next_user()
    {
        var factory = ShopFactory.Create(shop.ConnectionString);
        await Assert.ThrowsAsync<InvalidOperationException>(() => factory.RetryOnConflictAsync(
            (db, _) =>
            {
                db.AfterCommit(_ => Task.CompletedTask);
                throw new InvalidOperationException("bug");
            },
            NoPause,
            Token));

        await using var next = await factory.CreateDbContextAsync(Token);
        Assert.True(next.Database.AutoSavepointsEnabled);
        Assert.False(next.GetService<RetryUnitState>().IsActive);
        Assert.Empty(next.GetService<RetryUnitState>().AfterCommit);
    }
}
