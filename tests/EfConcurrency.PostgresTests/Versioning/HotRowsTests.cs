using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>What a place in the program remembers of the rows that its units lose.</summary>
public sealed class HotRowsTests(ZooDatabase zoo) : IClassFixture<ZooDatabase>, IDisposable
{
    private readonly HotRows _place = new();

    [Fact]
    public void A_row_that_all_units_write_and_lose_is_locked_first()
    {
        var row = Row(1);
        for (var i = 0; i < 15; i++)
        {
            LoseAndWrite(row);
            Assert.Empty(_place.ToLockFirst());
        }

        LoseAndWrite(row);
        Assert.Equal(row, Assert.Single(_place.ToLockFirst()));
    }

    /// <summary>Who locks the row of others first, and then waits for its own, is in a deadlock with who does the opposite.</summary>
    [Fact]
    public void A_place_whose_units_write_different_rows_has_no_hot_row()
    {
        for (var i = 0; i < 1000; i++)
        {
            // Many lose the row at once before one of them gets it.
            var row = Row(i % 15);
            _place.Lost([row, row, row, row]);
            Assert.Empty(_place.ToLockFirst());
            LoseAndWrite(row);
        }
    }

    [Fact]
    public void A_hot_row_is_forgotten_when_a_unit_writes_another_and_not_when_it_writes_none()
    {
        var row = Row(1);
        for (var i = 0; i < 16; i++)
        {
            LoseAndWrite(row);
        }

        _place.Succeeded(new HashSet<string>(), wonUnlocked: false);
        Assert.Single(_place.ToLockFirst());
        _place.Succeeded(new HashSet<string> { Row(2).Id }, wonUnlocked: false);
        Assert.Empty(_place.ToLockFirst());
    }

    [Fact]
    public void A_hot_row_that_is_won_without_its_lock_cools()
    {
        var row = Row(1);
        for (var i = 0; i < 16; i++)
        {
            LoseAndWrite(row);
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Single(_place.ToLockFirst());
            _place.Succeeded(new HashSet<string> { row.Id }, wonUnlocked: true);
        }

        _place.Succeeded(new HashSet<string> { row.Id }, wonUnlocked: true);
        Assert.Empty(_place.ToLockFirst());
    }

    [Fact]
    public void Hot_rows_of_one_model_are_not_those_of_another_on_the_same_database()
    {
        // A schema per tenant: the same unit, the same connection string, other tables.
        using var db = zoo.Open();
        using var shop = new ShopContext(new DbContextOptionsBuilder<ShopContext>().UseNpgsql(zoo.ConnectionString).UseEfConcurrency().Options);
        var unit = typeof(HotRowsTests).GetMethod(nameof(Hot_rows_of_one_model_are_not_those_of_another_on_the_same_database))!;

        Assert.Same(HotRows.Of(unit, db.Model, zoo.ConnectionString), HotRows.Of(unit, db.Model, zoo.ConnectionString));
        Assert.NotSame(HotRows.Of(unit, db.Model, zoo.ConnectionString), HotRows.Of(unit, shop.Model, zoo.ConnectionString));
    }

    public void Dispose() => _place.Dispose();

    private RowKey Row(int id)
    {
        using var db = zoo.Open();
        return new(db.Model.FindEntityType(typeof(TphAnimal))!, new Dictionary<string, object?> { ["Id"] = id });
    }

    private void LoseAndWrite(RowKey row)
    {
        _place.Lost([row]);
        _place.Succeeded(new HashSet<string> { row.Id }, wonUnlocked: false);
    }
}
