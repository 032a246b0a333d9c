using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Benchmarks.Outbox;

/// <summary>Messages through <c>db.Outbox()</c>.</summary>
internal sealed class LibraryOutbox(int messages, bool explicitTransaction)
{
    public async Task SaveAsync(OutboxContext db, OutboxRow row)
    {
        Enqueue(db, row, messages);
        await using var transaction = explicitTransaction ? await db.Database.BeginTransactionAsync() : null;
        await db.SaveChangesAsync();
        if (transaction is not null)
        {
            await transaction.CommitAsync();
        }
    }

    /// <summary>A new row in place of the update.</summary>
    public static async Task InsertAsync(OutboxContext db, int messages)
    {
        db.ChangeTracker.Clear();
        var row = new OutboxRow();
        db.Add(row);
        if (messages > 0)
        {
            Enqueue(db, row, messages);
        }

        await db.SaveChangesAsync();
    }

    private static void Enqueue(OutboxContext db, OutboxRow row, int messages)
    {
        var outbox = db.Outbox();
        for (var i = 0; i < messages; i++)
        {
            outbox.Enqueue(OutboxContext.Event(row.Id, row.Value), "row-1");
        }
    }
}
