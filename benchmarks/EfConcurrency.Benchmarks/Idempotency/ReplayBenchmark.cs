using System.Text.Json;
using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Benchmarks.Idempotency;

/// <summary>A request that was answered before, beside a new one. What a process knows it forgets under many other keys, so what is to be unknown has very many.</summary>
internal sealed class ReplayBenchmark(IdempotencyDatabase database)
{
    private const int ManyKeys = 50_000;

    private static readonly IdempotencyOptions ExpectReplay = new() { ExpectReplay = true };

    public Task RunAsync(int workers) => database.MeasureAsync("A replay", workers, async (set, connectionString, count) =>
    {
        var plain = IdempotencyContext.Plain(connectionString);
        var library = IdempotencyContext.WithLibrary(connectionString);
        await SeedAsync(library, connectionString, count);
        var (unknown, expected) = (0, 0);
        Add("a new request, SameTransaction", library, NewKeyBenchmark.SameTransactionAsync);
        Add("replay, known to this process", library, (db, id) => ReplayAsync(db, $"known:{id}", options: null));
        Add("replay, ExpectReplay", library, (db, _) => ReplayAsync(db, $"expected:{Next(ref expected)}", ExpectReplay));
        Add("replay, unknown to this process", library, (db, _) => ReplayAsync(db, $"unknown:{Next(ref unknown)}", options: null));
        Add("EF, catch the unique violation, then query", plain, (db, id) => KeyByHand.CatchViolationAsync(db, $"entity:{id}", Request));
        AddByHand("by hand: Npgsql, upsert that always updates", id => KeyByHand.UpsertAsync(connectionString, $"upsert:{id}", Request));
        AddByHand("by hand: Npgsql, SELECT", id => KeyByHand.SelectAsync(connectionString, $"select:{id}", Request));

        void Add(string name, PooledDbContextFactory<IdempotencyContext> factory, Func<IdempotencyContext, int, Task> operation)
            => AddByHand(name, async id =>
            {
                await using var db = await factory.CreateDbContextAsync();
                await operation(db, id);
            });

        void AddByHand(string name, Func<int, Task> operation) => set.All.Add(new(name, [.. Enumerable.Range(1, count).Select(id => (Func<Task>)(() => operation(id)))]));
    });

    private static Withdrawal Request { get; } = NewKeyBenchmark.Request(1);

    private static int Next(ref int last) => (Interlocked.Increment(ref last) % ManyKeys) + 1;

    private static async Task ReplayAsync(IdempotencyContext db, string key, IdempotencyOptions? options)
    {
        var outcome = await db.ExecuteIdempotentlyAsync(new IdempotencyKey(KeyByHand.Scope, key), Request, (d, ct) => d.ChangeAndSaveAsync(1, ct), options);
        if (!outcome.IsReplay || outcome.Result.Account != 1)
        {
            throw new InvalidOperationException("The key was to be known.");
        }
    }

    private static async Task SeedAsync(PooledDbContextFactory<IdempotencyContext> library, string connectionString, int workers)
    {
        await using var db = await library.CreateDbContextAsync();
        for (var id = 1; id <= workers; id++)
        {
            await KeyByHand.ClaimAroundSaveAsync(db, 1, $"upsert:{id}", Request);
            db.ChangeTracker.Clear();
            await KeyByHand.ClaimAroundSaveAsync(db, 1, $"select:{id}", Request);
            db.ChangeTracker.Clear();
            await db.ExecuteIdempotentlyAsync(new IdempotencyKey(KeyByHand.Scope, $"known:{id}"), Request, (d, ct) => d.ChangeAndSaveAsync(1, ct));
            db.ChangeTracker.Clear();
            db.Add(new KeyEntity { Scope = KeyByHand.Scope, Key = $"entity:{id}", Response = JsonSerializer.SerializeToUtf8Bytes(new Receipt(1, 1)) });
            await db.SaveChangesAsync();
        }

        await IdempotencyDatabase.ExecuteAsync(connectionString, $"""
            insert into efc.idempotency_key (scope, key, fingerprint, fp_version, state, fence, owner, attempts, created_at, completed_at, expires_at,
                response_status, response_headers, response_body)
            select scope, p || i, fingerprint, fp_version, state, fence, owner, attempts, created_at, completed_at, expires_at, response_status, response_headers, response_body
            from efc.idempotency_key, generate_series(1, {ManyKeys}) i, unnest(array['unknown:', 'expected:']) p where key = 'known:1'
            """);
        await IdempotencyDatabase.ExecuteAsync(connectionString, "vacuum analyze efc.idempotency_key");
    }
}
