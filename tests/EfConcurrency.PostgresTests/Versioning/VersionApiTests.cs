using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary><c>Expect</c>, <c>ForceIncrement</c>, <c>VerifyVersion</c>.</summary>
public sealed class VersionApiTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_expected_version_that_the_row_no_longer_has_is_refused()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await shop.ChangeAsync<Account>(id, a => a.Balance = 1);
        await using var db = shop.Open();
        var account = await db.Accounts.SingleAsync(a => a.Id == id, Token); // has version 2

        account.Balance = 5;
        db.Expect(account, 1L);
        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(Token));
        Assert.Equal((1L, 2L), (Assert.Single(conflict.Conflicts).Expected, conflict.Conflicts[0].Actual));

        db.Expect(account, 2L);
        await db.SaveChangesAsync(Token);
        Assert.Equal(3, account.Version);
    }

    [Fact]
    public async Task An_expectation_that_fails_is_not_retried()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await shop.ChangeAsync<Account>(id, a => a.Balance = 1);
        var attempts = 0;

        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => ShopFactory.Create(shop.ConnectionString).RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                var account = await db.Accounts.SingleAsync(a => a.Id == id, token);
                db.Expect(account, 1L);
                account.Balance = 5;
                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token));

        Assert.True(Assert.Single(conflict.Conflicts).IsPrecondition);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task An_expectation_is_fulfilled_by_the_save_that_wrote_the_row()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        var account = await db.Accounts.SingleAsync(a => a.Id == id, Token);
        db.Expect(account, 1L);
        account.Balance = 5;
        await db.SaveChangesAsync(Token);

        await shop.ChangeAsync<Account>(id, a => a.Balance = 1);
        account.Balance = 6;
        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(Token));
        Assert.False(Assert.Single(conflict.Conflicts).IsPrecondition);
    }

    [Fact]
    public async Task An_expected_version_of_the_wrong_type_is_named()
    {
        await using var db = shop.Open();
        var account = new Account();
        db.Attach(account);
        Assert.Contains("'Int64'", Assert.Throws<ArgumentException>(() => db.Expect(account, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_tracked_or_has_no_version_is_named()
    {
        await using var db = shop.Open();
        Assert.Contains("not tracked", Assert.Throws<InvalidOperationException>(() => db.ForceIncrement(new Account())).Message, StringComparison.Ordinal);
        var plain = new Plain { Id = 5 };
        db.Attach(plain);
        Assert.Contains("no version column", Assert.Throws<InvalidOperationException>(() => db.VerifyVersion(plain)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forced_increment_raises_the_version_and_nothing_else()
    {
        var id = (await shop.AddAsync(new Account { Balance = 4 })).Id;
        await using var db = shop.Open();
        var account = await db.Accounts.SingleAsync(a => a.Id == id, Token);
        db.ForceIncrement(account);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal(2, account.Version);
        Assert.Equal(4m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id} and \"Version\" = 2"));
    }

    [Fact]
    public async Task A_forced_increment_gives_a_row_with_xmin_a_new_one()
    {
        var row = await shop.AddAsync(new SystemRow { Text = "a" });
        await using var db = shop.Open();
        var mine = await db.SystemRows.SingleAsync(r => r.Id == row.Id, Token);
        db.ForceIncrement(mine);
        await db.SaveChangesAsync(Token);
        Assert.NotEqual(row.RowVersion, mine.RowVersion);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_save_that_rests_on_a_changed_row_is_refused(bool alone, bool sync)
    {
        var rate = (await shop.AddAsync(new Account { Balance = 2 })).Id;
        var text = Guid.NewGuid().ToString();
        await using var db = shop.Open();
        var read = await db.Accounts.SingleAsync(a => a.Id == rate, Token);
        await shop.ChangeAsync<Account>(rate, a => a.Balance = 3);

        db.VerifyVersion(read);
        if (!alone)
        {
            db.Add(new Plain { Text = text });
        }

        var error = await Record.ExceptionAsync(async () => _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));
        var conflict = Assert.IsType<VersionConflictException>(error);
        Assert.Equal(2L, Assert.Single(conflict.Conflicts).Actual);
        Assert.Equal(0L, await shop.ScalarAsync<long>($"select count(*) from \"Plains\" where \"Text\" = '{text}'"));
    }

    [Fact]
    public async Task A_verified_row_keeps_its_version_and_its_writers_wait_until_the_commit()
    {
        var rate = (await shop.AddAsync(new Account { Balance = 2 })).Id;
        await using var db = shop.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var read = await db.Accounts.SingleAsync(a => a.Id == rate, Token);
        db.VerifyVersion(read);
        db.Add(new Plain { Text = "rests on it" });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal(1, read.Version);

        // The row is locked against writers: one that won't wait is told so.
        await Assert.ThrowsAsync<Npgsql.PostgresException>(
            () => shop.ExecuteAsync($"set lock_timeout = '50ms'; update \"Accounts\" set \"Balance\" = 9 where \"Id\" = {rate}"));
        await transaction.CommitAsync(Token);
        await shop.ChangeAsync<Account>(rate, a => a.Balance = 9);
    }

    [Fact]
    public async Task A_verification_is_asked_for_once()
    {
        var rate = (await shop.AddAsync(new Account { Balance = 2 })).Id;
        await using var db = shop.Open();
        var read = await db.Accounts.SingleAsync(a => a.Id == rate, Token);
        db.VerifyVersion(read);
        await db.SaveChangesAsync(Token);
        await shop.ChangeAsync<Account>(rate, a => a.Balance = 3);
        db.Add(new Plain());
        await db.SaveChangesAsync(Token);
    }

    [Fact]
    public async Task A_pooled_context_forgets_what_its_last_user_wanted_verified()
    {
        var rate = (await shop.AddAsync(new Account { Balance = 2 })).Id;
        var factory = ShopFactory.Create(shop.ConnectionString);
        await using (var db = await factory.CreateDbContextAsync(Token))
        {
            db.VerifyVersion(await db.Accounts.SingleAsync(a => a.Id == rate, Token));
        }

        await using var next = await factory.CreateDbContextAsync(Token);
        Assert.False(next.GetService<VersionVerifications>().HasPendingWork);
    }
}
