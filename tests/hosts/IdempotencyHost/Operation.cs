using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace IdempotencyHost;

/// <summary>The operation, in each mode and without a key.</summary>
internal static class Operation
{
    private static readonly IdempotencyInFlight Wait = IdempotencyInFlight.Wait(TimeSpan.FromSeconds(10));

    public static async Task<Receipt> RunAsync(string connectionString, Mode mode, string key, bool withKey)
    {
        await using var db = new OperationContext(OperationDatabase.Options(connectionString));
        if (!withKey)
        {
            db.Add(new Effect { Key = key, Step = "work" });
            await db.SaveChangesAsync();
            return new(Guid.NewGuid());
        }

        var id = new IdempotencyKey($"storm|{mode}", key);
        var outcome = mode switch
        {
            Mode.SameTransaction => await db.ExecuteIdempotentlyAsync(id, key, SaveAsync, new() { OnInFlight = Wait }),
            Mode.InsertLast => await db.ExecuteIdempotentlyAsync(id, key, TrackAsync, new() { Mode = IdempotencyMode.InsertLast, OnInFlight = Wait }),
            _ => await db.ExecuteInPhasesAsync(id, key, StepsAsync, new() { Lease = TimeSpan.FromSeconds(1.5), OnInFlight = Wait }),
        };
        return outcome.Result;

        async Task<Receipt> SaveAsync(OperationContext db, CancellationToken token)
        {
            db.Add(new Effect { Key = key, Step = "work" });
            await db.SaveChangesAsync(token);
            return new(Guid.NewGuid());
        }

        Task<Receipt> TrackAsync(OperationContext db, CancellationToken token)
        {
            db.Add(new Effect { Key = key, Step = "work" });
            return Task.FromResult(new Receipt(Guid.NewGuid()));
        }

        async Task<Receipt> StepsAsync(IdempotencyPhases<OperationContext> phases, CancellationToken token)
        {
            await phases.RunAsync("reserve", (db, t) => AddAsync(db, "reserve", t), token);
            var charge = await phases.CallAsync("charge", (downstreamKey, t) => ChargeAsync(connectionString, downstreamKey, t), cancellationToken: token);
            await phases.RunAsync("book", (db, t) => AddAsync(db, "book", t), token);
            return new(charge);
        }

        async Task AddAsync(OperationContext db, string step, CancellationToken token)
        {
            db.Add(new Effect { Key = key, Step = step });
            await db.SaveChangesAsync(token);
        }
    }

    /// <summary>Commits by itself, as another system does, and does once what it is asked for with one key.</summary>
    private static async Task<Guid> ChargeAsync(string connectionString, string downstreamKey, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "insert into provider values ($1, 1, 1) on conflict (downstream_key) do update set calls = provider.calls + 1", connection);
        command.Parameters.Add(new() { Value = downstreamKey });
        await command.ExecuteNonQueryAsync(cancellationToken);
        return Guid.NewGuid();
    }
}
