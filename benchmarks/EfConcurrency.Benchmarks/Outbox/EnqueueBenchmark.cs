using System.Globalization;
using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Benchmarks.Outbox;

/// <summary>
/// One row is written and messages go with it: by the outbox, by an entity as most outboxes do, and not at all. Every operation has a context from the
/// pool and serialises its messages.
/// </summary>
internal sealed class EnqueueBenchmark(LocalPostgres server, Func<string, string> connectionStringOf, int rounds, TimeSpan slice, Random random)
{
    public async Task RunAsync(int messages, int workers)
    {
        var measured = new Dictionary<string, double>();
        var bytes = new List<string>();
        await using var database = await server.CreateDatabaseAsync();
        var connectionString = connectionStringOf(database.ConnectionString);
        await using (var db = await Factory(connectionString, withLibrary: true).CreateDbContextAsync())
        {
            await db.Database.EnsureCreatedAsync();
        }

        await using var proxy = FaultProxy.Start(connectionString);
        foreach (var contender in await ContendersAsync(proxy.ConnectionString, messages, workers: 1))
        {
            for (var i = 0; i < 5; i++)
            {
                await contender.Workers[0]();
            }

            var counter = proxy.CountRoundTrips();
            await contender.Workers[0]();
            measured[contender.Name] = counter.Count;
            bytes.Add(string.Create(CultureInfo.InvariantCulture, $"{contender.Name}: {counter.BytesSent} sent, {counter.BytesReceived} received"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"### One row and {messages} message(s) in one save, {workers} worker(s)"));
        Console.WriteLine();
        MarkdownTable.Print(await InterleavedRounds.RunAsync(await ContendersAsync(connectionString, messages, workers), rounds, slice, random), measured);
        Console.WriteLine($"Bytes of one operation. {string.Join("; ", bytes)}.");
        Console.WriteLine();
    }

    private static async Task<IReadOnlyList<Contender>> ContendersAsync(string connectionString, int messages, int workers)
    {
        var plain = Factory(connectionString, withLibrary: false);
        var library = Factory(connectionString, withLibrary: true);
        var versioned = Versioned(connectionString);
        return
        [
            await EachAsync("EF, update and an outbox entity each, automatic transaction", plain, new EntityOutbox(messages, explicitTransaction: false).SaveAsync),
            await EachAsync("the same in an explicit transaction", plain, new EntityOutbox(messages, explicitTransaction: true).SaveAsync),
            await EachAsync("EF, update without messages", plain, Without),
            await EachAsync("EfConcurrency, update without messages", library, Without),
            await EachAsync("EfConcurrency, update and messages", library, new LibraryOutbox(messages, explicitTransaction: false).SaveAsync),
            await EachAsync("EfConcurrency, versioned update and messages", versioned, new LibraryOutbox(messages, explicitTransaction: false).SaveAsync),
            await EachAsync("EfConcurrency, update and messages in an explicit transaction", library, new LibraryOutbox(messages, explicitTransaction: true).SaveAsync),
            await EachAsync("EfConcurrency, insert and messages", library, (db, _) => LibraryOutbox.InsertAsync(db, messages)),
            await EachAsync("EF, insert without messages", plain, (db, _) => LibraryOutbox.InsertAsync(db, messages: 0)),
            new("by hand: NpgsqlBatch, update and unnest, one implicit transaction", [.. Enumerable.Range(0, workers).Select(w => (Func<Task>)new OutboxByHand(connectionString, w + 1, messages).SaveAsync)]),
        ];

        async Task<Contender> EachAsync<T>(string name, PooledDbContextFactory<T> factory, Func<OutboxContext, OutboxRow, Task> save)
            where T : OutboxContext
        {
            var rows = new List<OutboxRow>();
            await using (var db = await factory.CreateDbContextAsync())
            {
                for (var worker = 0; worker < workers; worker++)
                {
                    rows.Add(new());
                }

                db.AddRange(rows);
                await db.SaveChangesAsync();
            }

            return new(name, [.. rows.Select(row => (Func<Task>)(async () =>
            {
                await using var db = await factory.CreateDbContextAsync();
                db.Attach(row);
                row.Value++;
                await save(db, row);
            }))]);
        }
    }

    private static Task Without(OutboxContext db, OutboxRow row) => db.SaveChangesAsync();

    private static PooledDbContextFactory<UnversionedContext> Factory(string connectionString, bool withLibrary)
    {
        var options = new DbContextOptionsBuilder<UnversionedContext>().UseNpgsql(connectionString);
        return new((withLibrary ? (DbContextOptionsBuilder<UnversionedContext>)options.UseEfConcurrency(OutboxContext.Configure) : options).Options);
    }

    private static PooledDbContextFactory<VersionedOutboxContext> Versioned(string connectionString)
        => new(new DbContextOptionsBuilder<VersionedOutboxContext>().UseNpgsql(connectionString).UseEfConcurrency(OutboxContext.Configure).Options);
}
