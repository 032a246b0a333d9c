using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>Which rows a refused save names, however it was sent.</summary>
public sealed class ConflictReportTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Without a savepoint what the save itself wrote is still there when the report is read. It is nobody's conflict.</summary>
    [Theory]
    [InlineData(7, null)]
    [InlineData(7, true)]
    [InlineData(7, false)]
    [InlineData(20, null)]
    [InlineData(20, true)]
    [InlineData(20, false)]
    public async Task What_others_changed_or_deleted_is_named_and_nothing_else(int rows, bool? savepoints)
    {
        await using var db = shop.Open();
        var counters = Enumerable.Range(0, rows).Select(_ => new Counter()).ToList();
        db.AddRange(counters);
        await db.SaveChangesAsync(Token);
        await shop.ChangeAsync<Counter>(counters[1].Id, c => c.Value = 10);
        await shop.ExecuteAsync($"delete from \"Counters\" where \"Id\" = {counters[2].Id}");
        await shop.ChangeAsync<Counter>(counters[4].Id, c => c.Value = 10);
        counters.ForEach(c => c.Value++);
        db.Remove(counters[^1]);

        db.Database.AutoSavepointsEnabled = savepoints == true;
        await using var transaction = savepoints is null ? null : await db.Database.BeginTransactionAsync(Token);
        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(Token));

        Assert.Equal(
            [(counters[1].Id, false), (counters[2].Id, true), (counters[4].Id, false)],
            conflict.Conflicts.Select(c => ((int)c.Key["Id"]!, c.IsDeleted)).Order());
    }
}
