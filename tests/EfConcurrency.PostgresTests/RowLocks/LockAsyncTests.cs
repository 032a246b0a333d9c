using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

public sealed class LockAsyncTests(DepotDatabase depot) : IClassFixture<DepotDatabase>, IAsyncLifetime
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
    public async Task An_entity_is_locked_and_gets_the_values_of_the_database()
    {
        var order = await _db.Orders.SingleAsync(o => o.Id == 1, Token);
        await depot.ExecuteAsync("update \"Orders\" set \"State\" = 'theirs' where \"Id\" = 1");

        await _db.LockAsync(order, cancellationToken: Token);

        Assert.Equal("theirs", order.State);
        Assert.Equal("1", await depot.LockedAsync("Orders"));
    }

    [Fact]
    public async Task Every_mode_and_a_composite_key_work()
    {
        var line = await _db.Lines.SingleAsync(l => l.OrderId == 1 && l.Number == 2, Token);

        foreach (var mode in Enum.GetValues<RowLockMode>())
        {
            await _db.LockAsync(line, mode, RowLockWait.NoWait, Token);
        }

        Assert.Equal("2", await depot.LockedAsync("Lines", "Number"));
    }

    [Theory]
    [InlineData(RowLockMode.KeyShare, "for no key update", true)]
    [InlineData(RowLockMode.Share, "for share", true)]
    [InlineData(RowLockMode.NoKeyUpdate, "for key share", true)]
    [InlineData(RowLockMode.NoKeyUpdate, "for share", false)]
    [InlineData(RowLockMode.Update, "for key share", false)]
    public async Task A_mode_is_as_strong_as_its_name(RowLockMode mode, string theirs, bool isCompatible)
    {
        var order = await _db.Orders.SingleAsync(o => o.Id == 3, Token);
        await using var other = await depot.LockOrderElsewhereAsync(3, theirs);

        var error = await Record.ExceptionAsync(() => _db.LockAsync(order, mode, RowLockWait.NoWait, Token));

        Assert.Equal(isCompatible, error is null);
        Assert.True(error is null or RowLockUnavailableException { IsTransactionUsable: true });
    }

    [Fact]
    public async Task A_derived_entity_is_locked_in_all_its_tables()
    {
        Animal dog = await _db.Animals.SingleAsync(a => a.Id == 2, Token);

        await _db.LockAsync(dog, cancellationToken: Token);

        Assert.Equal("2", await depot.LockedAsync("Animals"));
        Assert.Equal("2", await depot.LockedAsync("Dogs"));
    }

    [Fact]
    public async Task Unsaved_changes_are_refused()
    {
        var order = await _db.Orders.SingleAsync(o => o.Id == 2, Token);
        order.State = "mine";

        await Assert.ThrowsAsync<RowLockUnsavedChangesException>(() => _db.LockAsync(order, cancellationToken: Token));
        Assert.Equal("mine", order.State);
        Assert.Equal("", await depot.LockedAsync("Orders"));
    }

    [Fact]
    public async Task A_row_that_is_gone_is_a_conflict()
    {
        await depot.ExecuteAsync("insert into \"Vehicles\" (\"Id\", \"Plate\", \"Discriminator\", \"Version\") values (9, '', 'Vehicle', 1)");
        var vehicle = await _db.Vehicles.SingleAsync(v => v.Id == 9, Token);
        await depot.ExecuteAsync("delete from \"Vehicles\" where \"Id\" = 9");

        var error = await Assert.ThrowsAsync<LockedRowDeletedException>(() => _db.LockAsync(vehicle, cancellationToken: Token));

        Assert.Equal(("Vehicle", 9), (error.EntityType, error.Key["Id"]));
    }

    [Fact]
    public async Task What_can_not_be_locked_is_told()
    {
        var customer = await _db.Customers.SingleAsync(c => c.Id == 1, Token);

        Assert.Contains("Lock its owner, 'Customer'", (await Assert.ThrowsAsync<InvalidOperationException>(() => _db.LockAsync(customer.Login!, cancellationToken: Token))).Message, StringComparison.Ordinal);
        Assert.Contains("not tracked", (await Assert.ThrowsAsync<InvalidOperationException>(() => _db.LockAsync(new Order(), cancellationToken: Token))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => _db.LockAsync(customer, RowLockMode.Update, RowLockWait.SkipLocked, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _db.LockAsync(customer, (RowLockMode)9, cancellationToken: Token));
        await _db.Database.RollbackTransactionAsync(Token);
        await Assert.ThrowsAsync<RowLockTransactionRequiredException>(() => _db.LockAsync(customer, cancellationToken: Token));
    }

    [Fact]
    public async Task Entities_that_are_locked_before_they_are_changed_lose_no_update()
    {
        const int Workers = 4;
        const int Rounds = 10;
        await depot.ExecuteAsync("insert into \"SplitRows\" values (50, '0'); insert into \"SplitDetails\" values (50, '')");

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < Rounds; i++)
                {
                    await using var db = depot.Open();
                    await using var transaction = await db.Database.BeginTransactionAsync(Token);
                    var row = await db.SplitRows.SingleAsync(r => r.Id == 50, Token);
                    await db.LockAsync(row, cancellationToken: Token);
                    row.Text = (int.Parse(row.Text, System.Globalization.CultureInfo.InvariantCulture) + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
                    row.Detail += ".";
                    await db.SaveChangesAsync(Token);
                    await transaction.CommitAsync(Token);
                }
            },
            Token)));

        Assert.Equal("40 40", await depot.ScalarAsync<string>("select \"Text\" || ' ' || length(\"Detail\") from \"SplitRows\" join \"SplitDetails\" using (\"Id\") where \"Id\" = 50"));
    }
}
