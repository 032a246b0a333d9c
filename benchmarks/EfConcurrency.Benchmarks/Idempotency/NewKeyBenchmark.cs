using EfConcurrency.Idempotency;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.Benchmarks.Idempotency;

/// <summary>One EF update with one save, under a key that nobody has seen. Each worker writes an account of its own, with a context from the pool for each operation.</summary>
internal sealed class NewKeyBenchmark(IdempotencyDatabase database)
{
    private static readonly IdempotencyOptions InsertLast = new() { Mode = IdempotencyMode.InsertLast };

    public Task RunAsync(int workers) => database.MeasureAsync("A new request, one update", workers, (set, connectionString, count) =>
    {
        var plain = IdempotencyContext.Plain(connectionString);
        var library = IdempotencyContext.WithLibrary(connectionString);
        Add("EF, no key", plain, (db, id) => db.ChangeAndSaveAsync(id));
        Add("UseEfConcurrency(), no key", library, (db, id) => db.ChangeAndSaveAsync(id));
        Add("SameTransaction", library, SameTransactionAsync);
        Add("InsertLast", library, InsertLastAsync);
        Add("InsertLast, judged by EF (BEGIN…COMMIT)", IdempotencyContext.WithLibrary(connectionString, ServerJudgedSaves.Never), InsertLastAsync);
        Add("by hand: NpgsqlBatch with the claim, EF's save, NpgsqlBatch with COMMIT", plain, ByHandAsync);
        Add("the same, with UseEfConcurrency()", library, ByHandAsync);
        Add("EF, the key an entity in the same save", plain, (db, id) => KeyByHand.EntityInSaveAsync(db, id, NewKey(), Request(id)));
        set.All.Add(new("by hand: one NpgsqlBatch, no EF", [.. Each(id => () => KeyByHand.OneBatchAsync(connectionString, id, NewKey(), Request(id)))]));
        return Task.CompletedTask;

        void Add(string name, PooledDbContextFactory<IdempotencyContext> factory, Func<IdempotencyContext, int, Task> operation)
            => set.All.Add(new(name, [.. Each(id => async () =>
            {
                await using var db = await factory.CreateDbContextAsync();
                await operation(db, id);
            })]));

        IEnumerable<Func<Task>> Each(Func<int, Func<Task>> operationOf) => Enumerable.Range(1, count).Select(operationOf);
    });

    public static Withdrawal Request(int account) => new(account, 129.95m, "GBP");

    public static string NewKey() => Guid.NewGuid().ToString();

    public static async Task SameTransactionAsync(IdempotencyContext db, int account)
        => MustBeNew(await db.ExecuteIdempotentlyAsync(new IdempotencyKey(KeyByHand.Scope, NewKey()), Request(account), (d, ct) => d.ChangeAndSaveAsync(account, ct)));

    private static async Task InsertLastAsync(IdempotencyContext db, int account)
        => MustBeNew(await db.ExecuteIdempotentlyAsync(
            new IdempotencyKey(KeyByHand.Scope, NewKey()), Request(account), (d, _) => Task.FromResult(d.Change(account)), InsertLast));

    private static Task ByHandAsync(IdempotencyContext db, int account) => KeyByHand.ClaimAroundSaveAsync(db, account, NewKey(), Request(account));

    private static void MustBeNew(IdempotencyOutcome<Receipt> outcome)
    {
        if (outcome.IsReplay)
        {
            throw new InvalidOperationException("The key was to be new.");
        }
    }
}
