using EfConcurrency.Idempotency;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>What a key costs: network round trips, and writes on the server.</summary>
public sealed class CostTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_new_key_costs_two_round_trips_above_the_works_own(bool returnsResponse)
    {
        await using var proxy = ledger.StartProxy();
        await using var db = ledger.Open(proxy.ConnectionString);
        await WarmUpAsync(db);

        var trips = proxy.CountRoundTrips();
        await (returnsResponse
            ? db.ExecuteIdempotentResponseAsync(NewKey(), Print, async (context, token) => { await context.Entries.CountAsync(token); return new(200); }, cancellationToken: Token)
            : (Task)db.ExecuteIdempotentlyAsync(NewKey(), Request, (context, token) => context.Entries.CountAsync(token), cancellationToken: Token));

        Assert.Equal(1 + 2, trips.Count);
    }

    [Fact]
    public async Task A_stored_refusal_takes_its_rollback_along()
    {
        await using var proxy = ledger.StartProxy();
        await using var db = ledger.Open(proxy.ConnectionString);
        await WarmUpAsync(db);

        var trips = proxy.CountRoundTrips();
        await db.ExecuteIdempotentResponseAsync(NewKey(), Print, (_, _) => Task.FromResult(new IdempotentResponse(422)), cancellationToken: Token);

        Assert.Equal(2, trips.Count);
    }

    [Fact]
    public async Task A_replay_is_one_round_trip_where_the_key_is_known_or_expected_and_else_takes_a_ROLLBACK()
    {
        await using var proxy = ledger.StartProxy();
        await using var db = ledger.Open(proxy.ConnectionString);
        await WarmUpAsync(db);
        var known = NewKey();
        await WithdrawAsync(db, known);
        var foreign = NewKey();
        await ledger.WithdrawOnceAsync(foreign); // over another port: to the memory of keys, another database

        Assert.Equal(1, await TripsAsync(known));
        Assert.Equal(1, await TripsAsync(known, new() { ExpectReplay = true }));
        Assert.Equal(2, await TripsAsync(foreign));
        Assert.Equal(1, await TripsAsync(foreign));

        async Task<long> TripsAsync(IdempotencyKey key, IdempotencyOptions? options = null)
        {
            var trips = proxy.CountRoundTrips();
            Assert.True((await WithdrawAsync(db, key, options)).IsReplay);
            return trips.Count;
        }
    }

    [Fact]
    public async Task A_replay_writes_at_least_five_times_less_than_an_upsert_that_always_updates()
    {
        // A server of its own: all databases of a server share its log.
        await using var server = await LocalPostgres.StartAsync(new() { Settings = new Dictionary<string, string> { ["autovacuum"] = "off" } }, Token);
        await using var own = await server.CreateDatabaseAsync(Token);
        await using var db = ledger.Open(own.ConnectionString);
        await db.Database.EnsureCreatedAsync(Token);
        var key = NewKey();
        await WithdrawAsync(db, key);
        await using var connection = new NpgsqlConnection(own.ConnectionString);
        await connection.OpenAsync(Token);

        var replay = await WalAsync(() => WithdrawAsync(db, key));
        var unexpected = await WalAsync(() =>
        {
            IdempotencyMemory.Clear();
            return WithdrawAsync(db, key);
        });
        var upsert = await WalAsync(() => ScalarAsync($"""
            insert into efc.idempotency_key (scope, key, fingerprint, fp_version, state, fence, owner, attempts, created_at, expires_at)
            values ('{key.Scope}', '{key.Key}', '\x00', 1, 0, 1, gen_random_uuid(), 1, now(), now())
            on conflict (scope, key) do update set attempts = excluded.attempts returning xmax = 0
            """));

        TestContext.Current.TestOutputHelper?.WriteLine($"WAL per operation: replay {replay} B, replay of an unexpected key {unexpected} B, upsert {upsert} B");
        Assert.True(replay * 5 <= upsert && unexpected * 5 <= upsert, $"replay {replay} B, unexpected {unexpected} B, upsert {upsert} B");

        async Task<long> WalAsync(Func<Task> operation)
        {
            const int Times = 20;
            var best = long.MaxValue;
            for (var round = 0; round < 5; round++)
            {
                // The server itself writes now and then, so the quietest round counts.
                var before = (long)(await ScalarAsync("select (pg_current_wal_insert_lsn() - '0/0')::bigint"))!;
                for (var i = 0; i < Times; i++)
                {
                    await operation();
                }

                best = Math.Min(best, ((long)(await ScalarAsync("select (pg_current_wal_insert_lsn() - '0/0')::bigint"))! - before) / Times);
            }

            return best;
        }

        async Task<object?> ScalarAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync(Token);
        }
    }

    private static Task<IdempotencyOutcome<Receipt>> WithdrawAsync(LedgerContext db, IdempotencyKey key, IdempotencyOptions? options = null)
        => db.ExecuteIdempotentlyAsync(key, Request, (context, token) => LedgerDatabase.WithdrawAsync(context, key, token), options, Token);

    /// <summary>The guard function is asked for once per database, and Npgsql reads types once per connection string.</summary>
    private static async Task WarmUpAsync(LedgerContext db)
    {
        db.AddRange(new Entry(), new Entry());
        await db.SaveChangesAsync(Token);
        await db.Entries.CountAsync(Token);
        await db.Database.OpenConnectionAsync(Token);
        await db.Database.CloseConnectionAsync();
    }
}
