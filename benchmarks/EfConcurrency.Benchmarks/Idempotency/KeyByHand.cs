using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.Benchmarks.Idempotency;

/// <summary>
/// What a careful programmer would write, in the library's table: no limit of the wait, no takeover, no expiry, and a lost reply to the commit stays unexplained.
/// </summary>
internal static class KeyByHand
{
    public const string Scope = "bench";

    private const string Insert = """
        insert into efc.idempotency_key (scope, key, fingerprint, fp_version, state, fence, owner, attempts, created_at, expires_at)
        values ($1, $2, $3, 1, 0, 1, $4, 1, now(), now() + interval '1 day')
        on conflict (scope, key)
        """;

    private const string Claim = Insert + " do nothing returning fence";

    private const string Upsert = Insert + " do update set owner = excluded.owner returning state, response_body, fingerprint = $3, xmax = 0";

    private const string Look = "select state, response_body, fingerprint = $3 from efc.idempotency_key where scope = $1 and key = $2";

    private const string Complete = "update efc.idempotency_key set state = 1, response_body = $3, completed_at = now() where scope = $1 and key = $2 and state = 0";

    private const string InsertCompleted = """
        insert into efc.idempotency_key (scope, key, fingerprint, fp_version, state, fence, owner, attempts, created_at, expires_at, response_body, completed_at)
        values ($1, $2, $3, 1, 1, 1, $4, 1, now(), now() + interval '1 day', $5, now())
        """;

    /// <summary>BEGIN and claim; EF's save; response and COMMIT: the round trips of SameTransaction.</summary>
    public static async Task<Receipt> ClaimAroundSaveAsync(IdempotencyContext db, int account, string key, Withdrawal request)
    {
        db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync();
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var fingerprint = Fingerprint(request);
        await using (var claim = new NpgsqlBatch(connection))
        {
            claim.BatchCommands.Add(Command(Claim, Scope, key, fingerprint, Guid.NewGuid()));
            claim.BatchCommands.Add(Command(Look, Scope, key, fingerprint));
            await using var reader = await claim.ExecuteReaderAsync();
            if (!await reader.ReadAsync())
            {
                throw new InvalidOperationException("The key was to be new.");
            }

            await reader.NextResultAsync();
            await reader.ReadAsync();
        }

        var receipt = await db.ChangeAndSaveAsync(account);
        await using var complete = new NpgsqlBatch(connection);
        complete.BatchCommands.Add(Command(Complete, Scope, key, JsonSerializer.SerializeToUtf8Bytes(receipt)));
        complete.BatchCommands.Add(new("commit"));
        await complete.ExecuteNonQueryAsync();
        return receipt;
    }

    /// <summary>The limit: key, response and update in one batch, which is one transaction.</summary>
    public static async Task OneBatchAsync(string connectionString, int account, string key, Withdrawal request)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection);
        var response = JsonSerializer.SerializeToUtf8Bytes(new Receipt(account, 1));
        batch.BatchCommands.Add(Command(InsertCompleted, Scope, key, Fingerprint(request), Guid.NewGuid(), response));
        batch.BatchCommands.Add(Command("update account set balance = balance + 1 where id = $1", account));
        await batch.ExecuteNonQueryAsync();
    }

    public static Task<Receipt> SelectAsync(string connectionString, string key, Withdrawal request)
        => ReplayAsync(connectionString, Command(Look, Scope, key, Fingerprint(request)));

    /// <summary>One statement that always writes, so that it always returns the row.</summary>
    public static Task<Receipt> UpsertAsync(string connectionString, string key, Withdrawal request)
        => ReplayAsync(connectionString, Command(Upsert, Scope, key, Fingerprint(request), Guid.NewGuid()));

    /// <summary>The popular way, with the key alone in its save: the least that it can cost.</summary>
    public static async Task<Receipt> CatchViolationAsync(IdempotencyContext db, string key, Withdrawal request)
    {
        db.Add(new KeyEntity { Scope = Scope, Key = key, Fingerprint = Fingerprint(request) });
        try
        {
            await db.SaveChangesAsync();
        }
        catch (DbUpdateException exception) when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            db.ChangeTracker.Clear();
            var stored = await db.Set<KeyEntity>().AsNoTracking().SingleAsync(k => k.Scope == Scope && k.Key == key);
            return JsonSerializer.Deserialize<Receipt>(stored.Response)!;
        }

        throw new InvalidOperationException("The key was to be known.");
    }

    /// <summary>Key, response and update in one save.</summary>
    public static async Task EntityInSaveAsync(IdempotencyContext db, int account, string key, Withdrawal request)
    {
        var receipt = db.Change(account);
        db.Add(new KeyEntity { Scope = Scope, Key = key, Fingerprint = Fingerprint(request), Response = JsonSerializer.SerializeToUtf8Bytes(receipt) });
        await db.SaveChangesAsync();
    }

    private static async Task<Receipt> ReplayAsync(string connectionString, NpgsqlBatchCommand statement)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(statement);
        await using var reader = await batch.ExecuteReaderAsync();
        return await reader.ReadAsync() && reader.GetInt16(0) == 1 && reader.GetBoolean(2)
            ? JsonSerializer.Deserialize<Receipt>(reader.GetFieldValue<byte[]>(1))!
            : throw new InvalidOperationException("The key was to be completed, by this request.");
    }

    private static byte[] Fingerprint(Withdrawal request) => SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request));

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        return command;
    }
}
