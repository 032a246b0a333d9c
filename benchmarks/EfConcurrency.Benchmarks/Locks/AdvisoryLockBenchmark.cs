using EfConcurrency.AdvisoryLocks;
using EfConcurrency.Benchmarks.Harness;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Benchmarks.Locks;

/// <summary>One EF update of a tracked row, with and without an advisory lock around it. Each worker writes a row of its own, so that nothing but the lock is waited for.</summary>
internal sealed class AdvisoryLockBenchmark(LockDatabase database)
{
    /// <param name="workers">How many at a time.</param>
    /// <param name="oneKey">All want the same lock; else each has its own.</param>
    public Task RunAsync(int workers, bool oneKey)
        => database.MeasureAsync(oneKey ? "One update under an advisory lock, the same key for all" : "One update under an advisory lock, a key each", workers, async (set, connectionString, count) =>
        {
            var work = Enumerable.Range(1, count).Select(id => new Work(id, connectionString, oneKey ? "bench" : $"bench:{id}")).ToList();
            await AddAsync(set, "EF, no lock", work, w => w.PlainAsync(set), (w, update) => update.SaveAsync());
            await AddAsync(set, "UseEfConcurrency(), no lock", work, w => w.WithLibraryAsync(set), (w, update) => update.SaveAsync());
            await AddAsync(set, "WithAdvisoryLockAsync", work, w => w.WithLibraryAsync(set), (w, update) => update.Context.WithAdvisoryLockAsync(w.Name, (_, _) => update.SaveAsync()));
            await AddAsync(set, "SaveChangesUnderAdvisoryLockAsync", work, w => w.WithLibraryAsync(set), (w, update) => update.SaveUnderAsync(w.Name));
            await AddAsync(set, "ExecuteUpdate, no lock", work, w => w.PlainAsync(set), (w, update) => update.ExecuteAsync(w.Id));
            await AddAsync(set, "ExecuteUpdateUnderAdvisoryLockAsync", work, w => w.WithLibraryAsync(set), (w, update) => update.ExecuteUnderAsync(w.Id, w.Name));
            await AddAsync(set, "by hand: transaction, lock by NpgsqlBatch, EF's save", work, w => w.PlainAsync(set), ByHandAroundEfAsync);
            await AddAsync(set, "the same, with UseEfConcurrency()", work, w => w.WithLibraryAsync(set), ByHandAroundEfAsync);
            set.All.Add(new("by hand: one NpgsqlBatch, no EF", [.. work.Select(w => (Func<Task>)(() => ByHandAsync(w)))]));
        });

    private static async Task AddAsync(ContenderSet set, string name, List<Work> work, Func<Work, Task<Update>> prepare, Func<Work, Update, Task> operation)
    {
        var workers = new List<Func<Task>>();
        foreach (var one in work)
        {
            var update = await prepare(one);
            workers.Add(() => operation(one, update));
        }

        set.All.Add(new(name, workers));
    }

    /// <summary>What WithAdvisoryLockAsync does at its barest: no limit of the wait, and a lost reply to the commit stays unexplained.</summary>
    private static async Task ByHandAroundEfAsync(Work work, Update update)
    {
        await using var transaction = await update.Context.Database.BeginTransactionAsync();
        await using (var batch = new NpgsqlBatch((NpgsqlConnection)update.Context.Database.GetDbConnection()))
        {
            batch.BatchCommands.Add(LockCommand(work.Key));
            await batch.ExecuteNonQueryAsync();
        }

        await update.SaveAsync();
        await transaction.CommitAsync();
    }

    private static async Task ByHandAsync(Work work)
    {
        await using var connection = new NpgsqlConnection(work.ConnectionString);
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("begin"));
        batch.BatchCommands.Add(LockCommand(work.Key));
        batch.BatchCommands.Add(new("update lock_row set value = value + 1 where id = $1") { Parameters = { new() { Value = work.Id } } });
        batch.BatchCommands.Add(new("commit"));
        await batch.ExecuteNonQueryAsync();
    }

    private static NpgsqlBatchCommand LockCommand(long key) => new("select pg_advisory_xact_lock($1)") { Parameters = { new() { Value = key } } };

    private sealed record Work(int Id, string ConnectionString, string Name)
    {
        public long Key { get; } = AdvisoryKey.Of(Name).Number;

        public Task<Update> PlainAsync(ContenderSet set) => Update.OfAsync(set.Keep(LockContext.Plain(ConnectionString)), Id);

        public Task<Update> WithLibraryAsync(ContenderSet set) => Update.OfAsync(set.Keep(LockContext.WithLibrary(ConnectionString)), Id);
    }

    /// <summary>A row that was loaded once; each save writes one column.</summary>
    private sealed record Update(LockContext Context, LockRow Row)
    {
        public static async Task<Update> OfAsync(LockContext context, int id)
        {
            // As WithAdvisoryLockAsync does in its own transaction: a savepoint for the save costs two round trips.
            context.Database.AutoSavepointsEnabled = false;
            return new(context, await context.Rows.SingleAsync(r => r.Id == id));
        }

        public Task<int> SaveAsync()
        {
            Row.Value++;
            return Context.SaveChangesAsync();
        }

        public Task<int> SaveUnderAsync(string name)
        {
            Row.Value++;
            return Context.SaveChangesUnderAdvisoryLockAsync(name);
        }

        public Task<int> ExecuteAsync(int id) => Context.Rows.Where(r => r.Id == id).ExecuteUpdateAsync(s => s.SetProperty(r => r.Value, r => r.Value + 1));

        public Task<int> ExecuteUnderAsync(int id, string name)
            => Context.ExecuteUpdateUnderAdvisoryLockAsync(name, Context.Rows.Where(r => r.Id == id), s => s.SetProperty(r => r.Value, r => r.Value + 1));
    }
}
