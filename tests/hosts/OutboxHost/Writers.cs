using EfConcurrency.Resilience;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace OutboxHost;

/// <summary>Changes items and tells of it, until each writer has committed its number of transactions.</summary>
internal static class Writers
{
    public static async Task RunAsync(string connectionString, int writers, int transactions)
    {
        var contexts = new PooledDbContextFactory<StormContext>(StormContext.Options(connectionString));
        await Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(() => WriteAsync(contexts, new Random((Environment.ProcessId * 31) + w), transactions))));
    }

    /// <summary>Tells of an item of its own in a transaction that stays open until the process's input ends.</summary>
    public static async Task WriteLateAsync(string connectionString)
    {
        await using var db = new StormContext(StormContext.Options(connectionString));
        await using var transaction = await db.Database.BeginTransactionAsync();
        db.Add(new Item { Id = StormDatabase.Items + 1, Version = 1 });
        db.Outbox().Enqueue(new ItemChanged(StormDatabase.Items + 1, 1), key: "late");
        await db.SaveChangesAsync();
        Console.WriteLine("saved");
        await Console.In.ReadLineAsync();
        await transaction.CommitAsync();
    }

    private static async Task WriteAsync(IDbContextFactory<StormContext> contexts, Random random, int transactions)
    {
        for (var i = 0; i < transactions; i++)
        {
            var hot = random.Next(4) == 0;
            var id = 1 + random.Next(hot ? StormDatabase.HotItems : StormDatabase.Items);
            var second = random.Next(4) == 0 ? 1 + random.Next(StormDatabase.Items) : id;
            try
            {
                await contexts.RetryOnConflictAsync(
                    async (db, token) =>
                    {
                        await ChangeAsync(db, id, token);
                        if (second != id)
                        {
                            await ChangeAsync(db, second, token);
                        }

                        await db.SaveChangesAsync(token);
                    },
                    new() { MaxAttempts = 50 });
            }
            catch (Exception exception) when (exception is NpgsqlException or DbUpdateException or CommitOutcomeUnknownException or InvalidOperationException { InnerException: NpgsqlException })
            {
                // Sessions are ended on purpose. Whether it was committed, the item's version says.
            }
        }
    }

    private static async Task ChangeAsync(StormContext db, int id, CancellationToken token)
    {
        var item = await db.Items.SingleAsync(i => i.Id == id, token);
        item.Text = Guid.NewGuid().ToString();
        db.Outbox().Enqueue(new ItemChanged(id, item.Version + 1), key: id.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
