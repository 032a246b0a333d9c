using Microsoft.EntityFrameworkCore;

namespace Inventory;

/// <summary>The tables, with a full stock.</summary>
internal static class InventoryDatabase
{
    public const int Stock = 600;

    public static InventoryContext Open(string connectionString)
        => new(new DbContextOptionsBuilder<InventoryContext>().UseNpgsql(connectionString).UseEfConcurrency().Options);

    public static async Task CreateAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var db = Open(connectionString);
        await db.Database.EnsureCreatedAsync(cancellationToken);
        db.AddRange(Enumerable.Range(0, Stock).Select(_ => new StockItem()));
        await db.SaveChangesAsync(cancellationToken);
    }
}
