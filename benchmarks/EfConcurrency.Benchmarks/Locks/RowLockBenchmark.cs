using EfConcurrency.Benchmarks.Harness;
using EfConcurrency.RowLocks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Benchmarks.Locks;

/// <summary>
/// Row-lock operators against the same SQL by hand, each in a transaction that is rolled back: a commit would wait for the disk, and hide what the operators cost.
/// </summary>
internal sealed class RowLockBenchmark(LockDatabase database)
{
    private const int Claim = 10;

    public async Task RunAsync(int workers)
    {
        await OneRowAsync(
            "A row locked, waiting", workers, "ForNoKeyUpdate()", (rows, id) => rows.ForNoKeyUpdate().SingleAsync(r => r.Id == id),
            "select id, value from lock_row where id = {0} limit 2 for no key update");
        await OneRowAsync(
            "A row locked, NoWait", workers, "ForNoKeyUpdate(NoWait), with its savepoint", (rows, id) => rows.ForNoKeyUpdate(RowLockWait.NoWait).SingleAsync(r => r.Id == id),
            "select id, value from lock_row where id = {0} limit 2 for no key update nowait");
        await ClaimAsync(workers, "select id, value from lock_row where value = {0} order by id limit 10 for no key update skip locked");
    }

    private Task OneRowAsync(string title, int workers, string name, Func<IQueryable<LockRow>, int, Task<LockRow>> locked, string sql)
        => database.MeasureAsync(title, workers, (set, connectionString, count) =>
        {
            Add(set, "EF, the query without a lock", count, () => LockContext.Plain(connectionString), (db, id) => db.Rows.SingleAsync(r => r.Id == id));
            Add(set, name, count, () => LockContext.WithLibrary(connectionString), (db, id) => locked(db.Rows, id));
            Add(set, "by hand: EF, FromSql", count, () => LockContext.Plain(connectionString), async (db, id) => (await db.Rows.FromSqlRaw(sql, id).ToListAsync()).Single());
            Add(set, "the same, with UseEfConcurrency()", count, () => LockContext.WithLibrary(connectionString), async (db, id) => (await db.Rows.FromSqlRaw(sql, id).ToListAsync()).Single());
            AddByHand(set, count, connectionString, sql, id => id);
            return Task.CompletedTask;
        });

    private Task ClaimAsync(int workers, string sql)
        => database.MeasureAsync($"{Claim} rows claimed, SkipLocked", workers, (set, connectionString, count) =>
        {
            var free = 0;
            Add(set, "EF, the query without a lock", count, () => LockContext.Plain(connectionString), (db, _) => db.Rows.Where(r => r.Value == free).OrderBy(r => r.Id).Take(Claim).ToListAsync());
            Add(set, "TakeAsync(10)", count, () => LockContext.WithLibrary(connectionString), (db, _) => db.Rows.Where(r => r.Value == free).OrderBy(r => r.Id).TakeAsync(Claim));
            Add(set, "by hand: EF, FromSql", count, () => LockContext.Plain(connectionString), (db, _) => db.Rows.FromSqlRaw(sql, free).ToListAsync());
            Add(set, "the same, with UseEfConcurrency()", count, () => LockContext.WithLibrary(connectionString), (db, _) => db.Rows.FromSqlRaw(sql, free).ToListAsync());
            AddByHand(set, count, connectionString, sql, _ => free);
            return Task.CompletedTask;
        });

    private static void Add<TResult>(ContenderSet set, string name, int workers, Func<LockContext> open, Func<LockContext, int, Task<TResult>> read)
        => set.All.Add(new(name, [.. Enumerable.Range(1, workers).Select(id =>
        {
            var db = set.Keep(open());
            return (Func<Task>)(async () =>
            {
                db.ChangeTracker.Clear();
                await using var transaction = await db.Database.BeginTransactionAsync();
                await read(db, id);
                await transaction.RollbackAsync();
            });
        })]));

    private static void AddByHand(ContenderSet set, int workers, string connectionString, string sql, Func<int, int> value)
    {
        var positional = sql.Replace("{0}", "$1", StringComparison.Ordinal);
        set.All.Add(new("by hand: Npgsql", [.. Enumerable.Range(1, workers).Select(id => (Func<Task>)(() => ReadByHandAsync(connectionString, positional, value(id))))]));
    }

    private static async Task ReadByHandAsync(string connectionString, string sql, int value)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var rows = new List<LockRow>();
        await using (var command = new NpgsqlCommand(sql, connection, transaction) { Parameters = { new() { Value = value } } })
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                rows.Add(new() { Id = reader.GetInt32(0), Value = reader.GetInt32(1) });
            }
        }

        await transaction.RollbackAsync();
    }
}
