using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>Who has the lock has the values: an entity that was read before is given those of the database, or refused.</summary>
public sealed class RowLockRefreshTests(DepotDatabase depot) : IClassFixture<DepotDatabase>, IAsyncLifetime
{
    private DepotContext _db = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _db = depot.Open();
        await _db.Database.BeginTransactionAsync(Token);
    }

    public ValueTask DisposeAsync() => _db.DisposeAsync();

    [Fact]
    public async Task A_tracked_entity_gets_the_values_of_the_database()
    {
        var order = await _db.Orders.SingleAsync(o => o.Id == 1, Token);
        var before = order.State;
        await depot.ExecuteAsync("update \"Orders\" set \"State\" = 'paid', \"Remark\" = 'quick', \"Delivery_City\" = 'Chur' where \"Id\" = 1");

        Assert.Equal(before, (await _db.Orders.SingleAsync(o => o.Id == 1, Token)).State);
        Assert.Same(order, await _db.Orders.Where(o => o.Id == 1).ForUpdate().SingleAsync(Token));

        var entry = _db.Entry(order);
        Assert.Equal(("paid", "quick", "Chur"), (order.State, entry.Property<string>("Remark").CurrentValue, order.Delivery.City));
        Assert.Equal(("paid", EntityState.Unchanged), (entry.Property(o => o.State).OriginalValue, entry.State));
        Assert.Equal(0, await _db.SaveChangesAsync(Token));
        order.State = "new";
        Assert.Equal(1, await _db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task A_sync_query_refreshes_too()
    {
        var animal = _db.Set<Dog>().Single(a => a.Id == 3);
        await depot.ExecuteAsync("update \"Animals\" set \"Name\" = 'Rex' where \"Id\" = 3; update \"Dogs\" set \"Bark\" = 'wau' where \"Id\" = 3");

        Assert.Same(animal, _db.Animals.Where(a => a.Id == 3).ForUpdate().First());

        Assert.Equal(("Rex", "wau"), (animal.Name, animal.Bark));
    }

    [Fact]
    public async Task What_an_entity_owns_is_replaced()
    {
        var customer = await _db.Customers.SingleAsync(c => c.Id == 1, Token);
        await depot.ExecuteAsync(
            """
            update "Customers" set "Address_City" = 'Basel', "Settings" = '{"Language":"rm"}' where "Id" = 1;
            update "Logins" set "User" = 'new' where "CustomerId" = 1;
            delete from "Phone" where "CustomerId" = 1 and "Number" = '11';
            insert into "Phone" ("CustomerId", "Number") values (1, '31')
            """);

        await _db.Customers.Where(c => c.Id == 1).ForUpdate().SingleAsync(Token);

        Assert.Equal(("Basel", "rm", "new"), (customer.Address.City, customer.Settings!.Language, customer.Login!.User));
        Assert.Equal(["21", "31"], customer.Phones.Select(p => p.Number).Order());
        Assert.Equal(0, await _db.SaveChangesAsync(Token));

        customer.Address.City = "Genf";
        customer.Settings.Language = "fr";
        customer.Phones.RemoveAll(p => p.Number == "31");
        Assert.NotEqual(0, await _db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Complex_values_in_a_JSON_column_are_refreshed()
    {
        var order = await _db.Orders.SingleAsync(o => o.Id == 3, Token);
        await depot.ExecuteAsync("""update "Orders" set "Stops" = '[{"City":"Thun"},{"City":"Biel"}]' where "Id" = 3""");

        await _db.Orders.Where(o => o.Id == 3).ForUpdate().SingleAsync(Token);

        Assert.Equal(["Thun", "Biel"], order.Stops.Select(s => s.City));
        Assert.Equal(0, await _db.SaveChangesAsync(Token));
        order.Stops.RemoveAt(0);
        await _db.SaveChangesAsync(Token);
        Assert.Equal(["Biel"], (await _db.Orders.AsNoTracking().SingleAsync(o => o.Id == 3, Token)).Stops.Select(s => s.City));
    }

    [Fact]
    public async Task What_is_included_is_refreshed_with_it()
    {
        var order = await _db.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == 2, Token);
        await depot.ExecuteAsync("update \"Lines\" set \"Quantity\" = 7 where \"OrderId\" = 2; insert into \"Lines\" values (2, 9, 9)");

        await _db.Orders.Include(o => o.Lines).Where(o => o.Id == 2).ForUpdate().SingleAsync(Token);

        Assert.Equal([7, 9], order.Lines.Select(l => l.Quantity));
    }

    [Fact]
    public async Task A_split_query_refreshes_what_it_includes()
    {
        var order = await _db.Orders.Include(o => o.Lines).SingleAsync(o => o.Id == 1, Token);
        await depot.ExecuteAsync("update \"Lines\" set \"Quantity\" = 5 where \"OrderId\" = 1; update \"Orders\" set \"State\" = 'split' where \"Id\" = 1");

        await _db.Orders.Include(o => o.Lines).Where(o => o.Id == 1).AsSplitQuery().ForUpdate().SingleAsync(Token);

        Assert.Equal("split", order.State);
        Assert.Equal([5, 5], order.Lines.Select(l => l.Quantity));
    }

    [Fact]
    public async Task Many_to_many_is_refreshed()
    {
        var order = await _db.Orders.Include(o => o.Tags).SingleAsync(o => o.Id == 1, Token);
        await depot.ExecuteAsync("update \"Tags\" set \"Text\" = 'hot'; insert into \"Tags\" values (3, 'new'); insert into \"OrderTag\" values (1, 3)");

        await _db.Orders.Include(o => o.Tags).Where(o => o.Id == 1).ForUpdate().SingleAsync(Token);

        Assert.Equal(["hot", "hot", "new"], order.Tags.OrderBy(t => t.Id).Select(t => t.Text));
        Assert.Equal(0, await _db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task A_changed_foreign_key_moves_the_entity()
    {
        var order = await _db.Orders.Include(o => o.Customer).SingleAsync(o => o.Id == 4, Token);
        var other = await _db.Customers.SingleAsync(c => c.Id == 2, Token);
        await depot.ExecuteAsync("update \"Orders\" set \"CustomerId\" = 2 where \"Id\" = 4");

        await _db.Orders.Where(o => o.Id == 4).ForUpdate().SingleAsync(Token);

        Assert.Same(other, order.Customer);
        Assert.Contains(order, other.Orders);
    }

    [Fact]
    public async Task A_version_is_refreshed_with_the_rest()
    {
        var car = await _db.Vehicles.SingleAsync(v => v.Id == 2, Token);
        await using (var other = depot.Open())
        {
            (await other.Vehicles.SingleAsync(v => v.Id == 2, Token)).Plate = "theirs";
            await other.SaveChangesAsync(Token);
        }

        await _db.Vehicles.Where(v => v.Id == 2).ForNoKeyUpdate().SingleAsync(Token);
        car.Plate += ", ours";
        await _db.SaveChangesAsync(Token);

        Assert.Equal(("theirs, ours", 3L), (car.Plate, car.Version));
    }

    [Fact]
    public async Task A_row_version_of_the_database_is_refreshed_with_the_rest()
    {
        var tag = await _db.Tags.SingleAsync(t => t.Id == 2, Token);
        await depot.ExecuteAsync("update \"Tags\" set \"Text\" = \"Text\" where \"Id\" = 2");

        await _db.LockAsync(tag, cancellationToken: Token);
        tag.Text = "ours";

        Assert.Equal(1, await _db.SaveChangesAsync(Token));
    }

    [Theory]
    [InlineData(EntityState.Modified)]
    [InlineData(EntityState.Deleted)]
    public async Task Unsaved_changes_are_refused_and_kept(EntityState state)
    {
        var order = await _db.Orders.SingleAsync(o => o.Id == 1, Token);
        var before = order.State;
        if (state == EntityState.Modified)
        {
            order.State = "mine"; // EF has not noticed yet
        }
        else
        {
            _db.Remove(order);
        }

        var error = await Assert.ThrowsAsync<RowLockUnsavedChangesException>(() => _db.Orders.Where(o => o.Id == 1).ForUpdate().ToListAsync(Token));

        Assert.Equal(("Order", 1, state), (error.EntityType, error.Key["Id"], error.State));
        Assert.Equal(state == EntityState.Modified ? "mine" : before, order.State);
    }

    [Fact]
    public async Task Unsaved_changes_of_what_is_owned_are_refused()
    {
        var customer = await _db.Customers.SingleAsync(c => c.Id == 3, Token);
        customer.Settings!.Language = "mine";

        await Assert.ThrowsAsync<RowLockUnsavedChangesException>(() => _db.Customers.Where(c => c.Id == 3).ForUpdate().ToListAsync(Token));
        Assert.Equal("mine", customer.Settings.Language);
    }

    [Fact]
    public async Task An_entity_that_comes_in_several_rows_is_read_once()
    {
        var counter = new MaterializationCounter();
        await using var db = depot.Open(configure: b => b.AddInterceptors(counter));
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        await db.Orders.SingleAsync(o => o.Id == 1, Token);
        await depot.ExecuteAsync("update \"Orders\" set \"State\" = 'twice' where \"Id\" = 1");
        counter.Orders = 0;

        var rows = await db.Orders.Where(o => o.Id == 1).ForUpdate().Join(db.Lines, o => o.Id, l => l.OrderId, (o, l) => new { Order = o, l.Number }).ToListAsync(Token);

        Assert.Equal(2, rows.Count);
        Assert.Single(rows.Select(r => r.Order).Distinct());
        Assert.Equal(("twice", 1), (rows[0].Order.State, counter.Orders));
    }

    [Fact]
    public async Task A_query_without_tracking_leaves_tracked_entities_alone()
    {
        var order = await _db.Orders.SingleAsync(o => o.Id == 3, Token);
        order.State = "mine";
        await depot.ExecuteAsync("update \"Orders\" set \"State\" = 'theirs' where \"Id\" = 3");

        var read = await _db.Orders.AsNoTracking().Where(o => o.Id == 3).ForUpdate().SingleAsync(Token);

        Assert.Equal(("theirs", "mine"), (read.State, order.State));
    }
}
