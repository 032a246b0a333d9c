using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

public sealed class MergeTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_policy_the_conflict_is_thrown()
    {
        await using var db = await StaleCustomerAsync(mine: c => c.Name = "mine", theirs: c => c.Name = "theirs");
        await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesMergingAsync(new MergePolicies(), Token));
    }

    [Fact]
    public async Task Client_wins_writes_what_was_changed_here_and_keeps_the_rest_of_theirs()
    {
        await using var db = await StaleCustomerAsync(mine: c => c.Name = "mine", theirs: c => (c.Name, c.Address.City) = ("theirs", "theirs"));
        await db.SaveChangesMergingAsync(new MergePolicies().For<Customer>(MergePolicy.ClientWins), Token);

        var stored = await ReadAsync(db);
        Assert.Equal(("mine", "theirs", 3), (stored.Name, stored.Address.City, stored.Version));
    }

    [Fact]
    public async Task Store_wins_gives_up_what_was_changed_here()
    {
        await using var db = await StaleCustomerAsync(mine: c => (c.Name, c.Address.City) = ("mine", "mine"), theirs: c => c.Name = "theirs");
        await db.SaveChangesMergingAsync(new MergePolicies().For<Customer>(MergePolicy.StoreWins), Token);

        var stored = await ReadAsync(db);
        Assert.Equal(("theirs", "x", 2), (stored.Name, stored.Address.City, stored.Version));
        var tracked = db.ChangeTracker.Entries<Customer>().Single().Entity;
        Assert.Equal(("theirs", "x", 2), (tracked.Name, tracked.Address.City, tracked.Version));
    }

    [Fact]
    public async Task Three_way_keeps_what_each_side_alone_changed()
    {
        await using var db = await StaleCustomerAsync(mine: c => c.Name = "mine", theirs: c => c.Address.City = "theirs");
        await db.SaveChangesMergingAsync(new MergePolicies().For<Customer>(MergePolicy.ThreeWay), Token);

        var stored = await ReadAsync(db);
        Assert.Equal(("mine", "theirs", 3), (stored.Name, stored.Address.City, stored.Version));
    }

    [Fact]
    public async Task Three_way_throws_where_both_changed_the_same_property_differently()
    {
        await using var db = await StaleCustomerAsync(mine: c => c.Name = "mine", theirs: c => c.Name = "theirs");
        await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesMergingAsync(new MergePolicies().For<Customer>(MergePolicy.ThreeWay), Token));
        Assert.Equal("theirs", (await ReadAsync(db)).Name);
    }

    [Fact]
    public async Task A_resolver_adds_up_what_both_sides_booked()
    {
        var id = (await shop.AddAsync(new Account { Balance = 100 })).Id;
        await using var db = shop.Open();
        (await db.Accounts.SingleAsync(a => a.Id == id, Token)).Balance += 5;
        await shop.ChangeAsync<Account>(id, a => a.Balance += 30);
        var policies = new MergePolicies().Resolve<Account, decimal>(a => a.Balance, (read, ours, theirs) => theirs + ours - read);

        await db.SaveChangesMergingAsync(policies, Token);

        Assert.Equal(135m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task A_merged_entity_that_fails_its_check_is_not_saved()
    {
        var id = (await shop.AddAsync(new Account { Balance = 100 })).Id;
        await using var db = shop.Open();
        (await db.Accounts.SingleAsync(a => a.Id == id, Token)).Balance -= 60;
        await shop.ChangeAsync<Account>(id, a => a.Balance -= 60);
        var policies = new MergePolicies()
            .Resolve<Account, decimal>(a => a.Balance, (read, ours, theirs) => theirs + ours - read)
            .Check<Account>(a =>
            {
                if (a.Balance < 0)
                {
                    throw new InvalidOperationException("overdrawn");
                }
            });

        await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesMergingAsync(policies, Token));
        Assert.Equal(40m, await shop.ScalarAsync<decimal>($"select \"Balance\" from \"Accounts\" where \"Id\" = {id}"));
    }

    [Theory]
    [InlineData(MergePolicy.ClientWins, 0)]
    [InlineData(MergePolicy.StoreWins, 1)]
    public async Task A_delete_of_a_changed_row_goes_by_the_policy(MergePolicy policy, long left)
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        db.Remove(await db.Accounts.SingleAsync(a => a.Id == id, Token));
        await shop.ChangeAsync<Account>(id, a => a.Balance = 3);

        await db.SaveChangesMergingAsync(new MergePolicies().For<Account>(policy), Token);

        Assert.Equal(left, await shop.ScalarAsync<long>($"select count(*) from \"Accounts\" where \"Id\" = {id}"));
    }

    [Fact]
    public async Task A_deleted_row_is_always_a_conflict()
    {
        var id = (await shop.AddAsync(new Account())).Id;
        await using var db = shop.Open();
        (await db.Accounts.SingleAsync(a => a.Id == id, Token)).Balance = 3;
        await shop.ExecuteAsync($"delete from \"Accounts\" where \"Id\" = {id}");

        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesMergingAsync(new MergePolicies().For<Account>(MergePolicy.ClientWins), Token));
        Assert.True(Assert.Single(conflict.Conflicts).IsDeleted);
    }

    [Fact]
    public async Task Added_and_removed_parts_are_not_merged_by_guess()
    {
        await using var db = await StaleCustomerAsync(mine: c => c.Phones.Add(new Phone { Number = "mine" }), theirs: c => c.Phones.Add(new Phone { Number = "theirs" }));
        await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesMergingAsync(new MergePolicies().For<Customer>(MergePolicy.ThreeWay), Token));
    }

    [Fact]
    public async Task A_transaction_without_savepoints_is_refused()
    {
        await using var db = shop.Open();
        db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await Assert.ThrowsAsync<RetryNotPossibleException>(() => db.SaveChangesMergingAsync(new MergePolicies(), Token));
    }

    private async Task<ShopContext> StaleCustomerAsync(Action<Customer> mine, Action<Customer> theirs)
    {
        var id = (await shop.AddAsync(new Customer { Name = "c", Address = new() { City = "x" } })).Id;
        var db = shop.Open();
        var customer = await db.Customers.SingleAsync(c => c.Id == id, Token);
        await shop.ChangeAsync(id, theirs);
        mine(customer);
        return db;
    }

    private async Task<Customer> ReadAsync(ShopContext of)
    {
        var id = of.ChangeTracker.Entries<Customer>().Single().Entity.Id;
        await using var db = shop.Open();
        return await db.Customers.SingleAsync(c => c.Id == id, Token);
    }
}
