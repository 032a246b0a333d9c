using Microsoft.EntityFrameworkCore;

namespace Inventory;

/// <summary>What the database says when all workers have ended.</summary>
internal sealed record InventoryCheck(int Free, int Reservations, int ReservedTwice, int Invoices, int DuplicateNumbers, int MissingNumbers, int AdvisoryLocks)
{
    public bool IsOk
        => ReservedTwice == 0 && Reservations + Free == InventoryDatabase.Stock
            && Invoices > 0 && DuplicateNumbers == 0 && MissingNumbers == 0
            && AdvisoryLocks == 0;

    public static async Task<InventoryCheck> ReadAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var db = InventoryDatabase.Open(connectionString);
        var numbers = await db.Invoices.Select(i => i.Number).ToListAsync(cancellationToken);
        return new(
            Free: await db.Items.CountAsync(i => !i.IsReserved, cancellationToken),
            Reservations: await db.Reservations.CountAsync(cancellationToken),
            ReservedTwice: await db.Reservations.GroupBy(r => r.ItemId).CountAsync(g => g.Count() > 1, cancellationToken),
            Invoices: numbers.Count,
            DuplicateNumbers: numbers.Count - numbers.Distinct().Count(),
            MissingNumbers: Enumerable.Range(1, numbers.DefaultIfEmpty().Max()).Except(numbers).Count(),
            AdvisoryLocks: await db.Database
                .SqlQuery<int>($"""
                    select count(*)::int as "Value" from pg_locks
                    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
                    """)
                .SingleAsync(cancellationToken));
    }

    public override string ToString()
        => $"{Reservations} reserved + {Free} free of a stock of {InventoryDatabase.Stock}, {ReservedTwice} items reserved more than once; "
            + $"{Invoices} invoices, {DuplicateNumbers} with a number already given, {MissingNumbers} numbers missing; {AdvisoryLocks} advisory locks left";
}
