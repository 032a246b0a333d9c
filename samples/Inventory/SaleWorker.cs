using Microsoft.EntityFrameworkCore;

namespace Inventory;

/// <summary>A worker: sells until nothing is left. What happens to it, it says on its output.</summary>
internal sealed class SaleWorker(string connectionString, string name, bool isLocked, WorkerFate fate)
{
    public const string Ready = "is ready";
    public const string HasPicked = "has picked";
    public const string HasWritten = "has written";

    private const int ItemsPerSale = 3;

    /// <summary>The sale in which its fate meets it.</summary>
    private const int FatefulSale = 5;

    private static readonly TimeSpan Packing = TimeSpan.FromMilliseconds(5);

    /// <summary>Long enough for its parent to act, and shorter than others wait for a lock.</summary>
    private static readonly TimeSpan Dawdling = TimeSpan.FromSeconds(1);

    private int _sales;

    public async Task RunAsync()
    {
        await using (var db = InventoryDatabase.Open(connectionString))
        {
            await db.Items.AnyAsync(i => !i.IsReserved);
        }

        Console.WriteLine(Ready);
        await Console.In.ReadLineAsync();
        while (await IsAnythingLeftAsync())
        {
            await using var db = InventoryDatabase.Open(connectionString);
            if (await SellAsync(db))
            {
                _sales++;
            }
            else
            {
                // Others hold what is left; it may come back, if one of them is killed.
                await Task.Delay(20);
            }
        }

        Console.WriteLine($"has made {_sales} sales, and finds nothing more");
    }

    private async Task<bool> IsAnythingLeftAsync()
    {
        await using var db = InventoryDatabase.Open(connectionString);
        return await db.Items.AnyAsync(i => !i.IsReserved);
    }

    /// <summary>Items and invoice in one transaction. The right way and the naive one differ in two lines.</summary>
    private async Task<bool> SellAsync(InventoryContext db)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        var free = db.Items.Where(i => !i.IsReserved).OrderBy(i => i.Id);
        var items = isLocked
            ? await free.TakeAsync(ItemsPerSale) // = Take(n).ForNoKeyUpdate(RowLockWait.SkipLocked)
            : await free.Take(ItemsPerSale).ToListAsync();
        if (items.Count == 0)
        {
            return false;
        }

        await MeetFateAsync(WorkerFate.Freeze, $"{HasPicked} the items {string.Join(", ", items.Select(i => i.Id))}");
        await Task.Delay(Packing);

        var number = isLocked
            ? await db.WithAdvisoryLockAsync("invoice-numbers", (_, _) => WriteInvoiceAsync(db, items)) // until the transaction ends
            : await WriteInvoiceAsync(db, items);

        await MeetFateAsync(WorkerFate.Kill, $"{HasWritten} invoice {number}, not committed yet");
        await transaction.CommitAsync();
        return true;
    }

    private async Task<int> WriteInvoiceAsync(InventoryContext db, List<StockItem> items)
    {
        var last = await db.Invoices.MaxAsync(i => (int?)i.Number) ?? 0;
        var invoice = new Invoice { Number = last + 1, WrittenBy = name };
        foreach (var item in items)
        {
            item.IsReserved = true;
            invoice.Reservations.Add(new Reservation { ItemId = item.Id });
        }

        db.Add(invoice);
        await db.SaveChangesAsync();
        return invoice.Number;
    }

    private async Task MeetFateAsync(WorkerFate where, string what)
    {
        if (fate == where && _sales + 1 == FatefulSale)
        {
            Console.WriteLine(what);
            await Task.Delay(Dawdling);
        }
    }
}
