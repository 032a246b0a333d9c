using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

public sealed class VersionedSaveTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_synchronous_save_raises_and_checks_the_version()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        var account = db.Accounts.Single(a => a.Id == id);
        account.Balance = 5;
        db.SaveChanges();
        Assert.Equal(2, account.Version);

        await shop.ChangeAsync<Account>(id, a => a.Balance = 7);
        account.Balance = 6;

        var conflict = Assert.Throws<VersionConflictException>(() => db.SaveChanges());
        Assert.Equal(3L, Assert.Single(conflict.Conflicts).Actual);
    }

    [Fact]
    public async Task An_unchanged_entity_keeps_its_version()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        var account = await db.Accounts.SingleAsync(a => a.Id == id, Token);
        account.Balance = 1;
        account.Balance = 0;
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, account.Version);
    }

    [Fact]
    public async Task A_version_given_to_a_new_row_is_kept()
    {
        await using var db = shop.Open();
        var account = new Account();
        db.Entry(account).Property(a => a.Version).CurrentValue = 41;
        db.Add(account);
        await db.SaveChangesAsync(Token);
        Assert.Equal(41, account.Version);
        Assert.Equal(41, await shop.ScalarAsync<long>($"select \"Version\" from \"Accounts\" where \"Id\" = {account.Id}"));
    }

    [Fact]
    public async Task A_failed_save_writes_the_same_number_when_it_is_repeated()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        var account = await db.Accounts.SingleAsync(a => a.Id == id, Token);
        account.Balance = 5;
        db.Add(new Plain { Text = "\0" }); // PostgreSQL has no NUL in text: the save fails.
        await Assert.ThrowsAnyAsync<DbUpdateException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(1, account.Version);

        db.ChangeTracker.Entries<Plain>().Single().State = EntityState.Detached;
        await db.SaveChangesAsync(Token);

        Assert.Equal(2, account.Version);
    }

    [Fact]
    public async Task A_version_that_is_assigned_is_refused_and_nothing_is_written()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        var account = await db.Accounts.SingleAsync(a => a.Id == id, Token);
        account.Balance = 5;
        db.Entry(account).Property(a => a.Version).CurrentValue = 9;

        var error = await Assert.ThrowsAsync<VersionAssignedException>(() => db.SaveChangesAsync(Token));

        Assert.Contains("db.Expect(entity, 9)", error.Message, StringComparison.Ordinal);
        Assert.Equal(0m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task A_detached_entity_is_saved_against_the_version_it_carries()
    {
        var account = await shop.AddAsync(new Account());
        await using var db = shop.Open();
        account.Balance = 3;
        db.Update(account);
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, account.Version);

        await shop.ChangeAsync<Account>(account.Id, a => a.Balance = 8);
        await using var later = shop.Open();
        account.Balance = 4;
        later.Update(account);
        await Assert.ThrowsAsync<VersionConflictException>(() => later.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Changes_that_EF_does_not_accept_keep_the_raised_version_until_they_are_accepted()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        var account = await db.Accounts.SingleAsync(a => a.Id == id, Token);
        account.Balance = 3;

        await db.SaveChangesAsync(acceptAllChangesOnSuccess: false, Token);
        db.ChangeTracker.AcceptAllChanges();

        Assert.Equal(2, account.Version);
        account.Balance = 4;
        await db.SaveChangesAsync(Token);
        Assert.Equal(3, account.Version);
    }

    [Fact]
    public async Task Concurrent_writers_lose_no_update()
    {
        const int writers = 8, each = 15;
        var id = (await shop.AddAsync(new Counter())).Id;

        await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < each;)
            {
                await using var db = shop.Open();
                (await db.Counters.SingleAsync(c => c.Id == id, Token)).Value++;
                try
                {
                    await db.SaveChangesAsync(Token);
                    done++;
                }
                catch (VersionConflictException)
                {
                    // Read again: that is what the loop does.
                }
            }
        }, Token)));

        await using var check = shop.Open();
        var counter = await check.Counters.SingleAsync(c => c.Id == id, Token);
        Assert.Equal(writers * each, counter.Value);
        Assert.Equal((writers * each) + 1, counter.Version);
    }
}
