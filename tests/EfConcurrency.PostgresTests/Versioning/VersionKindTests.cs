using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>Every kind of version is set on insert, raised on update, and refuses a stale writer.</summary>
public sealed class VersionKindTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    public static TheoryData<VersionedCase> Cases =>
    [
        new VersionedCase("long, by interface", () => new Account(), e => ((Account)e).Balance++, e => ((Account)e).Version, First: 1L, Second: 2L),
        new VersionedCase("int, by attribute", () => new Counter(), e => ((Counter)e).Value++, e => ((Counter)e).Version, First: 1, Second: 2),
        new VersionedCase("Guid, fluent", () => new Document(), e => ((Document)e).Text += "x", e => ((Document)e).Revision),
        new VersionedCase("xmin", () => new SystemRow(), e => ((SystemRow)e).Text += "x", e => ((SystemRow)e).RowVersion),
        new VersionedCase("shadow", () => new ShadowRow(), e => ((ShadowRow)e).Text += "x", null),
        new VersionedCase("converter", () => new Converted(), e => ((Converted)e).Text += "x", e => ((Converted)e).Version, First: new RowNumber(1), Second: new RowNumber(2)),
        new VersionedCase("composite key", () => new Stock { Warehouse = Guid.NewGuid().ToString(), Sku = 7 }, e => ((Stock)e).Quantity++, e => ((Stock)e).Version, First: 1L, Second: 2L),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task An_insert_and_an_update_each_give_a_new_version(VersionedCase @case)
    {
        await using var db = shop.Open();
        var entity = @case.Create();
        db.Add(entity);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        var first = @case.Version(db, entity);

        @case.Change(entity);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        var second = @case.Version(db, entity);

        Assert.NotEqual(first, second);
        if (@case.First is not null)
        {
            Assert.Equal(@case.First, first);
            Assert.Equal(@case.Second, second);
        }

        Assert.Equal(second, db.Entry(entity).GetDatabaseValues()![VersionedCase.Property(db, entity)]);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_stale_update_is_refused_and_leaves_the_version_that_was_read(VersionedCase @case)
    {
        var entity = await shop.AddAsync(@case.Create());
        await using var stale = shop.Open();
        await using var fresh = shop.Open();
        var key = stale.Entry(entity).Metadata.FindPrimaryKey()!.Properties.Select(p => stale.Entry(entity).Property(p.Name).CurrentValue).ToArray();
        var mine = (await stale.FindAsync(entity.GetType(), key, TestContext.Current.CancellationToken))!;
        var theirs = (await fresh.FindAsync(entity.GetType(), key, TestContext.Current.CancellationToken))!;
        @case.Change(theirs);
        await fresh.SaveChangesAsync(TestContext.Current.CancellationToken);
        var read = @case.Version(stale, mine);

        @case.Change(mine);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(TestContext.Current.CancellationToken));
            var row = Assert.Single(conflict.Conflicts);
            Assert.Equal(read, row.Expected);
            Assert.Equal(@case.Version(fresh, theirs), row.Actual);
            Assert.False(row.IsDeleted);
            Assert.Equal(read, @case.Version(stale, mine));
            Assert.Same(mine, Assert.Single(conflict.Entries).Entity);
        }

        Assert.Throws<VersionConflictException>(() => stale.SaveChanges());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_stale_delete_is_refused(VersionedCase @case)
    {
        var entity = await shop.AddAsync(@case.Create());
        await using var stale = shop.Open();
        await using var fresh = shop.Open();
        var key = stale.Entry(entity).Metadata.FindPrimaryKey()!.Properties.Select(p => stale.Entry(entity).Property(p.Name).CurrentValue).ToArray();
        var mine = (await stale.FindAsync(entity.GetType(), key, TestContext.Current.CancellationToken))!;
        @case.Change((await fresh.FindAsync(entity.GetType(), key, TestContext.Current.CancellationToken))!);
        await fresh.SaveChangesAsync(TestContext.Current.CancellationToken);

        stale.Remove(mine);

        await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(TestContext.Current.CancellationToken));
    }

    public sealed record VersionedCase(
        string Name, Func<object> Create, Action<object> Change, Func<object, object>? Read, object? First = null, object? Second = null)
    {
        public object Version(DbContext db, object entity)
            => Read?.Invoke(entity) ?? db.Entry(entity).Property(Property(db, entity)).CurrentValue!;

        public static string Property(DbContext db, object entity)
            => db.Entry(entity).Metadata.GetProperties().Single(p => p.IsConcurrencyToken).Name;

        public override string ToString() => Name;
    }
}
