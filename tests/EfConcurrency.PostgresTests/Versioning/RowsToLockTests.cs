using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>Rows are locked in one order, whatever their types.</summary>
public sealed class RowsToLockTests(ZooDatabase zoo) : IClassFixture<ZooDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_of_several_types_in_one_table_are_locked_in_the_order_of_their_keys()
    {
        await using var seed = zoo.Open();
        seed.AddRange(new TphAnimal(), new TphDog());
        await seed.SaveChangesAsync(Token);
        var animal = await Conflict<TphAnimal>(seed, seed.Tph.Where(a => !(a is TphDog)));
        var dog = await Conflict<TphDog>(seed, seed.Tph.Where(a => a is TphDog));

        // The first row is held, so that both units stand in the queue before either can go on.
        await using var holder = zoo.Open();
        await using var held = await holder.Database.BeginTransactionAsync(Token);
        await holder.Tph.Where(a => a.Id == (int)animal.Key["Id"]!).ExecuteUpdateAsync(s => s.SetProperty(a => a.Name, "held"), Token);

        var one = LockAsync(animal, dog);
        await zoo.UntilWaitingForLocksAsync(1);
        var two = LockAsync(dog, animal);
        await zoo.UntilWaitingForLocksAsync(2);
        await held.CommitAsync(Token);

        await Task.WhenAll(one, two); // a deadlock would end one of them with 40P01
    }

    private static async Task<VersionConflict> Conflict<T>(ZooContext db, IQueryable<TphAnimal> query)
    {
        var row = await query.SingleAsync(Token);
        return VersionConflict.Stale(db.Model.FindEntityType(typeof(T))!, new Dictionary<string, object?> { ["Id"] = row.Id }, 1L, 2L, []);
    }

    private async Task LockAsync(params VersionConflict[] conflicts)
    {
        await using var db = zoo.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var rows = new RowsToLock();
        rows.Add(conflicts.Select(c => RowKey.Of(c)));
        await rows.LockAsync(db, Token);
        await transaction.CommitAsync(Token);
    }
}
