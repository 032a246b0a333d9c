using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

public sealed class ConditionalUpdateTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_row_is_updated_when_it_has_the_version()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();

        var result = await db.Accounts.ExecuteUpdateIfVersionAsync(id, 1L, s => s.SetProperty(a => a.Balance, 5), Token);

        result.EnsureUpdated();
        Assert.Equal(ConditionalUpdateOutcome.Updated, result.Outcome);
        Assert.Equal(5m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id} and \"Version\" = 2"));
    }

    [Fact]
    public async Task Another_version_is_a_conflict_that_names_it()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await shop.ChangeAsync<Account>(id, a => a.Balance = 3);
        await using var db = shop.Open();

        var result = await db.Accounts.ExecuteUpdateIfVersionAsync(id, 1L, s => s.SetProperty(a => a.Balance, 5), Token);

        Assert.Equal(ConditionalUpdateOutcome.Conflict, result.Outcome);
        Assert.Equal(2L, result.ActualVersion);
        Assert.Equal(2L, Assert.Single(Assert.Throws<VersionConflictException>(result.EnsureUpdated).Conflicts).Actual);
    }

    [Fact]
    public async Task No_row_is_not_a_conflict_of_versions()
    {
        await using var db = shop.Open();
        var result = await db.Accounts.ExecuteUpdateIfVersionAsync(int.MaxValue, 1L, s => s.SetProperty(a => a.Balance, 5), Token);
        Assert.Equal(ConditionalUpdateOutcome.NotFound, result.Outcome);
        Assert.True(Assert.Single(Assert.Throws<VersionConflictException>(result.EnsureUpdated).Conflicts).IsDeleted);
    }

    [Fact]
    public async Task A_withdrawal_that_the_balance_does_not_allow_fails_by_its_condition()
    {
        var id = (await shop.AddAsync(new Account { Balance = 5 })).Id;
        await using var db = shop.Open();

        var result = await db.Accounts.Where(a => a.Balance >= 10).ExecuteUpdateIfVersionAsync(id, 1L, s => s.SetProperty(a => a.Balance, a => a.Balance - 10), Token);

        Assert.Equal(ConditionalUpdateOutcome.ConditionFailed, result.Outcome);
        Assert.Throws<InvalidOperationException>(result.EnsureUpdated);
    }

    [Fact]
    public async Task Composite_keys_and_all_kinds_of_versions_work()
    {
        var stock = await shop.AddAsync(new Stock { Warehouse = Guid.NewGuid().ToString(), Sku = 3 });
        var document = await shop.AddAsync(new Document());
        var system = await shop.AddAsync(new SystemRow());
        await using var db = shop.Open();

        (await db.Stocks.ExecuteUpdateIfVersionAsync(new object[] { stock.Warehouse, 3 }, 1L, s => s.SetProperty(e => e.Quantity, 1), Token)).EnsureUpdated();
        (await db.Documents.ExecuteUpdateIfVersionAsync(document.Id, document.Revision, s => s.SetProperty(e => e.Text, "1"), Token)).EnsureUpdated();
        (await db.SystemRows.ExecuteUpdateIfVersionAsync(system.Id, system.RowVersion, s => s.SetProperty(e => e.Text, "1"), Token)).EnsureUpdated();
        Assert.Equal(
            ConditionalUpdateOutcome.Conflict,
            (await db.SystemRows.ExecuteUpdateIfVersionAsync(system.Id, system.RowVersion, s => s.SetProperty(e => e.Text, "2"), Token)).Outcome);
    }

    [Fact]
    public async Task Wrong_types_are_named()
    {
        await using var db = shop.Open();
        Assert.Contains(
            "String Warehouse, Int32 Sku",
            (await Assert.ThrowsAsync<ArgumentException>(() => db.Stocks.ExecuteUpdateIfVersionAsync(7, 1L, s => s.SetProperty(e => e.Quantity, 1), Token))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Pass a 'Int64'",
            (await Assert.ThrowsAsync<ArgumentException>(() => db.Accounts.ExecuteUpdateIfVersionAsync(7, 1, s => s.SetProperty(e => e.Balance, 1), Token))).Message,
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Plains.ExecuteUpdateIfVersionAsync(7, 1L, s => s.SetProperty(e => e.Text, "1"), Token));
    }
}
