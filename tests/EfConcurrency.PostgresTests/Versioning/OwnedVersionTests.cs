using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>EF checks the owner's token when an owned part changes, and does not write it: two writers of two parts would both win.</summary>
public sealed class OwnedVersionTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, Action<Customer>> Changes => new()
    {
        { "owned in the row", c => c.Address.City += "x" },
        { "owned replaced", c => c.Address = new Address { City = "new" } },
        { "owned in JSON", c => c.Preferences.Language += "x" },
        { "owned row changed", c => c.Phones[0].Number += "1" },
        { "owned row added", c => c.Phones.Add(new Phone { Number = "2" }) },
        { "owned row removed", c => c.Phones.RemoveAt(0) },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_of_a_part_raises_the_version_of_its_owner(string part, Action<Customer> change)
    {
        Assert.NotEmpty(part);
        var id = await AddCustomerAsync();
        await using var stale = shop.Open();
        var mine = await stale.Customers.SingleAsync(c => c.Id == id, Token);

        await using (var db = shop.Open())
        {
            var customer = await db.Customers.SingleAsync(c => c.Id == id, Token);
            change(customer);
            await db.SaveChangesAsync(Token);
            Assert.Equal(2, customer.Version);
            Assert.Equal(EntityState.Unchanged, db.Entry(customer).State);
        }

        mine.Name = "mine";
        await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(Token));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_of_a_part_of_a_stale_owner_is_refused(string part, Action<Customer> change)
    {
        Assert.NotEmpty(part);
        var id = await AddCustomerAsync();
        await using var stale = shop.Open();
        var mine = await stale.Customers.SingleAsync(c => c.Id == id, Token);
        await shop.ChangeAsync<Customer>(id, c => c.Name = "theirs");

        change(mine);

        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(Token));
        Assert.Equal("Customer", Assert.Single(conflict.Conflicts).EntityType);
        Assert.Equal(1, mine.Version);
        Assert.Equal(EntityState.Unchanged, stale.Entry(mine).State);
        Assert.Throws<VersionConflictException>(() => stale.SaveChanges());
    }

    private async Task<int> AddCustomerAsync()
        => (await shop.AddAsync(new Customer
        {
            Name = "c",
            Address = new() { City = "x" },
            Preferences = new() { Language = "en" },
            Phones = [new() { Number = "1" }],
        })).Id;
}
