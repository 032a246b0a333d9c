using Microsoft.EntityFrameworkCore;

namespace OutboxHost;

/// <summary>The tables of the storm: hot items, that all writers want, and others.</summary>
public static class StormDatabase
{
    public const int Items = 200;

    public const int HotItems = 8;

    public static async Task PrepareAsync(string connectionString)
    {
        await using var db = new StormContext(StormContext.Options(connectionString));
        await db.Database.EnsureCreatedAsync();
        db.AddRange(Enumerable.Range(1, Items).Select(id => new Item { Id = id }));
        await db.SaveChangesAsync();

        // Every item starts at the version that its first change is told by.
        await db.Database.ExecuteSqlRawAsync("""
            update "Items" set "Version" = 0;
            create index on "Applied" ("ItemId", "Number");
            create table absorbed (host text primary key, messages bigint not null);
            """);
    }
}
