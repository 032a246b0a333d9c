using EfConcurrency.QueryPipeline;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

public sealed class InheritanceTests(ZooDatabase zoo) : IClassFixture<ZooDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, Func<IDog>> Dogs => new()
    {
        { "table per hierarchy", () => new TphDog() },
        { "table per type", () => new TptDog() },
        { "table per concrete type", () => new TpcDog() },
    };

    /// <summary>With table per type, EF itself skips the token when only the derived table changes (dotnet/efcore#36633).</summary>
    [Theory]
    [MemberData(nameof(Dogs))]
    public async Task A_change_of_a_derived_column_raises_and_checks_the_version_of_the_base(string mapping, Func<IDog> create)
    {
        Assert.NotEmpty(mapping);
        var dog = create();
        await using var db = zoo.Open();
        db.Add(dog);
        await db.SaveChangesAsync(Token);
        await using var stale = zoo.Open();
        var mine = (IDog)(await stale.FindAsync(dog.GetType(), [dog.Id], Token))!;

        dog.Bark = "woof";
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, dog.Version);

        mine.Bark = "wuff";
        var conflict = await Assert.ThrowsAsync<VersionConflictException>(() => stale.SaveChangesAsync(Token));
        Assert.Equal(2L, Assert.Single(conflict.Conflicts).Actual);
        Assert.Equal(1, mine.Version);
    }

    [Fact]
    public async Task ExecuteUpdate_raises_the_version_with_table_per_hierarchy_and_concrete_type()
    {
        await using var db = zoo.Open();
        TphDog one = new() { Name = "tph" };
        TpcDog two = new() { Name = "tpc" };
        db.AddRange(one, two);
        await db.SaveChangesAsync(Token);

        await db.Set<TphDog>().Where(d => d.Id == one.Id).ExecuteUpdateAsync(s => s.SetProperty(d => d.Bark, "x"), Token);
        await db.Set<TphAnimal>().Where(d => d.Id == one.Id).ExecuteUpdateAsync(s => s.SetProperty(d => d.Name, "x"), Token);
        await db.Set<TpcDog>().Where(d => d.Id == two.Id).ExecuteUpdateAsync(s => s.SetProperty(d => d.Bark, "x"), Token);

        Assert.Equal(3L, await db.Tph.Where(d => d.Id == one.Id).Select(d => d.Version).SingleAsync(Token));
        Assert.Equal(2L, await db.Tpc.Where(d => d.Id == two.Id).Select(d => d.Version).SingleAsync(Token));
    }

    [Fact]
    public async Task ExecuteUpdate_of_another_table_than_the_versions_is_refused()
    {
        await using var db = zoo.Open();
        TptDog dog = new() { Name = "tpt" };
        db.Add(dog);
        await db.SaveChangesAsync(Token);

        await Assert.ThrowsAsync<UnsupportedBulkUpdateException>(
            () => db.Set<TptDog>().Where(d => d.Id == dog.Id).ExecuteUpdateAsync(s => s.SetProperty(d => d.Bark, "x"), Token));
        await db.Set<TptAnimal>().Where(d => d.Id == dog.Id).ExecuteUpdateAsync(s => s.SetProperty(d => d.Name, "x"), Token);

        Assert.Equal(2L, await db.Tpt.Where(d => d.Id == dog.Id).Select(d => d.Version).SingleAsync(Token));
    }
}
