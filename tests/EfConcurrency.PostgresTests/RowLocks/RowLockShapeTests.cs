using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.RowLocks;

/// <summary>The clause stands at the right SELECT, names the right table, and locks the rows that come back, no others.</summary>
public sealed class RowLockShapeTests(DepotDatabase depot) : IClassFixture<DepotDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<Shape>> Shapes => All.Select(s => new TheoryDataRow<Shape>(s));

    private static IEnumerable<Shape> All =>
    [
        new("update", db => db.Orders.Where(o => o.Id == 1).ForUpdate(), ["FOR UPDATE OF o"], 1, "Orders: 1"),
        new("no key update", db => db.Orders.Where(o => o.Id == 1).ForNoKeyUpdate(), ["FOR NO KEY UPDATE OF o"], 1, "Orders: 1"),
        new("share", db => db.Orders.Where(o => o.Id == 1).ForShare(), ["FOR SHARE OF o"], 1, "Orders: 1"),
        new("key share", db => db.Orders.Where(o => o.Id == 1).ForKeyShare(), ["FOR KEY SHARE OF o"], 1, "Orders: 1"),
        new("operator before Where", db => db.Orders.ForUpdate().Where(o => o.Id == 2), ["WHERE o.\"Id\" = 2 FOR UPDATE OF o"], 1, "Orders: 2"),
        new("no wait", db => db.Orders.Where(o => o.Id == 1).ForUpdate(RowLockWait.NoWait), ["savepoint", "FOR UPDATE OF o NOWAIT", "release"], 1, "Orders: 1"),
        new("skip locked", db => db.Orders.Where(o => o.Id == 1).ForUpdate(RowLockWait.SkipLocked), ["FOR UPDATE OF o SKIP LOCKED"], 1, "Orders: 1"),
        new("paging (PostgreSQL locks what OFFSET passes over, too)", db => db.Orders.OrderBy(o => o.Id).Skip(1).Take(2).ForUpdate(), ["LIMIT", "FOR UPDATE OF o"], 2, "Orders: 1 2 3"),
        new("paging after the operator", db => db.Orders.ForUpdate().OrderBy(o => o.Id).Take(2), ["LIMIT", "FOR UPDATE OF o"], 2, "Orders: 1 2"),
        new("Where after paging locks the page", db => db.Orders.OrderBy(o => o.Id).Take(2).ForUpdate().Where(o => o.CustomerId == 1), ["LIMIT", "FOR UPDATE OF o", ") AS"], 2, "Orders: 1 2"),
        new("operator behind a subquery", db => db.Orders.OrderBy(o => o.Id).Take(2).Where(o => o.Id > 0).ForUpdate(), ["LIMIT", "FOR UPDATE OF o", ") AS"], 2, "Orders: 1 2"),
        new("Include of a required reference", db => db.Orders.Where(o => o.Id == 1).Include(o => o.Customer).ForUpdate(), ["LEFT JOIN", "FOR UPDATE OF o"], 1, "Orders: 1", "Customers: "),
        new("Include of an optional reference", db => db.Orders.Where(o => o.Id == 3).Include(o => o.Approver).ForUpdate(), ["LEFT JOIN", "FOR UPDATE OF o"], 1, "Orders: 3", "Customers: "),
        new("Include of a collection", db => db.Orders.Where(o => o.Id == 1).Include(o => o.Lines).ForUpdate(), ["LEFT JOIN", "FOR UPDATE OF o"], 1, "Orders: 1", "Lines: "),
        new("Include after the operator", db => db.Orders.Where(o => o.Id == 1).ForUpdate().Include(o => o.Lines), ["LEFT JOIN", "FOR UPDATE OF o"], 1, "Orders: 1", "Lines: "),
        new("paging and Include", db => db.Orders.OrderBy(o => o.Id).Take(2).ForUpdate().Include(o => o.Lines), ["FROM (", "LIMIT", "FOR UPDATE OF o ) AS", "LEFT JOIN"], 2, "Orders: 1 2", "Lines: "),
        new("ThenInclude", db => db.Customers.Where(c => c.Id == 1).Include(c => c.Orders).ThenInclude(o => o.Lines).ForUpdate(), ["FOR UPDATE OF c"], 1, "Customers: 1", "Orders: ", "Lines: "),
        new("split query", db => db.Orders.Where(o => o.Id == 1).Include(o => o.Lines).AsSplitQuery().ForUpdate(), ["FOR UPDATE OF o"], 1, "Orders: 1", "Lines: "),
        new("split query with a time limit", db => db.Orders.Where(o => o.Id == 1).Include(o => o.Lines).Include(o => o.Tags).AsSplitQuery().ForUpdate(RowLockWait.Wait(TimeSpan.FromSeconds(5))), ["savepoint", "'5000'", "FOR UPDATE OF o", "release"], 1, "Orders: 1", "Lines: "),
        new("Include and skip locked", db => db.Orders.OrderBy(o => o.Id).Take(2).Include(o => o.Lines).ForUpdate(RowLockWait.SkipLocked), ["FROM (", "FOR UPDATE OF o SKIP LOCKED ) AS", "LEFT JOIN"], 2, "Orders: 1 2", "Lines: "),
        new("split query that has nothing to split and skips", db => db.Orders.Where(o => o.Id == 1).AsSplitQuery().ForUpdate(RowLockWait.SkipLocked), ["SKIP LOCKED"], 1, "Orders: 1"),
        new("Include of many to many", db => db.Orders.Where(o => o.Id == 1).Include(o => o.Tags).ForUpdate(), ["LEFT JOIN", "FOR UPDATE OF o"], 1, "Orders: 1", "Tags: "),
        new("filtered Include", db => db.Orders.Where(o => o.Id == 1).Include(o => o.Lines.Where(l => l.Number > 1).OrderBy(l => l.Number).Take(1)).ForUpdate(), ["FOR UPDATE OF o"], 1, "Orders: 1", "Lines: "),
        new("filter through a navigation", db => db.Orders.Where(o => o.Customer.Name == "c2").ForUpdate(), ["INNER JOIN", "FOR UPDATE OF o"], 1, "Orders: 3", "Customers: "),
        new("filter through an optional navigation", db => db.Orders.Where(o => o.Approver!.Name == "c3").ForUpdate(), ["LEFT JOIN", "FOR UPDATE OF o"], 1, "Orders: 3", "Customers: "),
        new("filter through a collection", db => db.Orders.Where(o => o.Lines.Any(l => l.Number == 2)).ForUpdate(), ["EXISTS", "FOR UPDATE OF o"], 1, "Orders: 1", "Lines: "),
        new("join, one side", db => db.Orders.Where(o => o.Id == 1).ForUpdate().Join(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o, c }), ["INNER JOIN", "FOR UPDATE OF o"], 1, "Orders: 1", "Customers: "),
        new("join, other side", db => db.Orders.Where(o => o.Id == 1).Join(db.Customers.ForShare(), o => o.CustomerId, c => c.Id, (o, c) => new { o, c }), ["INNER JOIN", "FOR SHARE OF c"], 1, "Orders: ", "Customers: 1"),
        new("join, both sides", db => db.Orders.Where(o => o.Id == 1).ForUpdate().Join(db.Customers.ForShare(), o => o.CustomerId, c => c.Id, (o, c) => new { o, c }), ["FOR UPDATE OF o", "FOR SHARE OF c"], 1, "Orders: 1", "Customers: 1"),
        new("left join, required side", db => db.Orders.Where(o => o.Id == 4).ForUpdate().LeftJoin(db.Lines, o => o.Id, l => l.OrderId, (o, l) => new { o, l }), ["LEFT JOIN", "FOR UPDATE OF o"], 1, "Orders: 4", "Lines: "),
        new("right join, required side", db => db.Lines.RightJoin(db.Orders.ForUpdate(), l => l.OrderId, o => o.Id, (l, o) => new { o, l }).Where(x => x.o.Id == 4), ["RIGHT JOIN", "FOR UPDATE OF o"], 1, "Orders: 4", "Lines: "),
        new("SelectMany", db => db.Orders.Where(o => o.Id == 1).SelectMany(o => o.Lines).ForUpdate(), ["INNER JOIN", "FOR UPDATE OF l"], 2, "Orders: ", "Lines: 1 2"),
        new("SelectMany after the operator", db => db.Orders.Where(o => o.Id == 1).ForUpdate().SelectMany(o => o.Lines), ["INNER JOIN", "FOR UPDATE OF o"], 2, "Orders: 1", "Lines: "),
        new("cross join", db => db.Orders.Where(o => o.Id == 1).ForUpdate().SelectMany(o => db.Customers, (o, c) => new { o, c }), ["CROSS JOIN", "FOR UPDATE OF o"], 3, "Orders: 1", "Customers: "),
        new("required navigation", db => db.Orders.Where(o => o.Id == 1).Select(o => o.Customer).ForUpdate(), ["INNER JOIN", "FOR UPDATE OF c"], 1, "Orders: ", "Customers: 1"),
        new("lock in EXISTS", db => db.Orders.Where(o => o.Id == 1 && db.Customers.ForUpdate().Any(c => c.Id == o.CustomerId)), ["EXISTS (", "FOR UPDATE OF c)"], 1, "Orders: ", "Customers: 1"),
        new("projection after the operator", db => db.Orders.Where(o => o.Id == 1).ForUpdate().Select(o => new { o.Id, o.Customer.Name }), ["INNER JOIN", "FOR UPDATE OF o"], 1, "Orders: 1", "Customers: "),
        new("TPH", db => db.Vehicles.OfType<Car>().ForUpdate(), ["FOR UPDATE OF v"], 1, "Vehicles: 2"),
        new("TPT, base", db => db.Animals.Where(a => a.Id == 2).ForUpdate(), ["LEFT JOIN", "FOR UPDATE OF a"], 1, "Animals: 2", "Dogs: "),
        new("TPT, derived", db => db.Set<Dog>().Where(a => a.Id == 2).ForUpdate(), ["INNER JOIN", "FOR UPDATE OF a", "FOR UPDATE OF d"], 1, "Animals: 2", "Dogs: 2"),
        new("TPC, concrete", db => db.Set<Crate>().ForUpdate(), ["FOR UPDATE OF c"], 1, "Crates: 2", "Parcels: "),
        new("entity in two tables", db => db.SplitRows.Where(s => s.Id == 1).ForUpdate(), ["INNER JOIN", "FOR UPDATE OF s"], 1, "SplitRows: 1", "SplitDetails: 1"),
        new("owned types", db => db.Customers.Where(c => c.Id == 1).ForUpdate(), ["FOR UPDATE OF c"], 1, "Customers: 1"),
        new("no tracking", db => db.Orders.AsNoTracking().Where(o => o.Id == 1).Include(o => o.Lines).ForUpdate(), ["FOR UPDATE OF o"], 1, "Orders: 1"),
        new("no tracking with identity resolution", db => db.Orders.AsNoTrackingWithIdentityResolution().Where(o => o.Id == 1).Include(o => o.Lines).ForUpdate(), ["FOR UPDATE OF o"], 1, "Orders: 1"),
        new("aggregate of a subquery in the projection", db => db.Orders.Where(o => o.Id == 1).ForUpdate().Select(o => new { o.Id, Lines = o.Lines.Count }), ["count(*)", "FOR UPDATE OF o"], 1, "Orders: 1", "Lines: "),
        new("aggregate of a subquery in the condition", db => db.Orders.Where(o => o.Lines.Sum(l => l.Number) == 3).ForUpdate(), ["sum(", "FOR UPDATE OF o"], 1, "Orders: 1", "Lines: "),
        new("Distinct around a locked page", db => db.Orders.OrderBy(o => o.Id).Take(1).ForUpdate().Select(o => new { o.State }).Distinct(), ["FOR UPDATE OF o"], 1, "Orders: 1"),
        new("lock in IN", db => db.Orders.Where(o => db.Customers.Where(c => c.Id == 2).ForShare().Select(c => c.Id).Contains(o.CustomerId)), ["IN (", "FOR SHARE OF c"], 1, "Customers: 2", "Orders: "),
        new("owned collection", db => db.Customers.Where(c => c.Id == 1).SelectMany(c => c.Phones).AsNoTracking().ForUpdate(), ["INNER JOIN", "FOR UPDATE OF p"], 2, "Customers: "),
        new("condition on a JSON column", db => db.Customers.Where(c => c.Settings!.Language == "de" && c.Id == 1).ForUpdate(), ["FOR UPDATE OF c"], 1, "Customers: 1"),
        new("join with SQL of one's own", db => db.Orders.ForUpdate().Join(db.Customers.FromSqlRaw("select * from \"Customers\" where \"Id\" = 2"), o => o.CustomerId, c => c.Id, (o, c) => o), ["FOR UPDATE OF o"], 1, "Orders: 3", "Customers: "),
        new("tag", db => db.Orders.TagWith("mine").Where(o => o.Id == 1).ForUpdate(), ["-- mine", "FOR UPDATE OF o"], 1, "Orders: 1"),
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task A_lock_goes_where_it_belongs(Shape shape)
    {
        await using var db = depot.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var query = shape.Query(db);

        var position = 0;
        var sql = Shape.Normal(query.ToQueryString());
        foreach (var part in shape.Sql)
        {
            position = sql.IndexOf(part, position, StringComparison.Ordinal);
            Assert.True(position >= 0, $"'{part}' is not (or not there) in: {sql}");
            position += part.Length;
        }

        Assert.Equal(shape.Rows, (await query.ToListAsync(Token)).Count);
        foreach (var locked in shape.Locked)
        {
            var (table, keys) = (locked[..locked.IndexOf(':', StringComparison.Ordinal)], locked[(locked.IndexOf(':', StringComparison.Ordinal) + 2)..]);
            Assert.Equal(keys, await depot.LockedAsync(table, table == "Lines" ? "Number" : "Id"));
        }
    }
}
