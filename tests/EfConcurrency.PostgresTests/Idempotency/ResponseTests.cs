using System.Text;
using EfConcurrency.Idempotency;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>The form for web servers: the response says what becomes of it and of the work.</summary>
public sealed class ResponseTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private static readonly byte[] Body = [0, 1, 2, 0xff, .. "{\"ok\":true}"u8];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<IdempotencyMode> Modes => new(Enum.GetValues<IdempotencyMode>());

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_response_is_replayed_octet_by_octet_with_its_headers_in_order(IdempotencyMode mode)
    {
        var key = NewKey();
        var options = new IdempotencyOptions { Mode = mode };
        KeyValuePair<string, string>[] headers = [new("Link", "<b>"), new("Location", "/entries/7"), new("Link", "<a>")];

        var first = await RunAsync(key, options, new(201, Body, headers));
        var second = await RunAsync(key, options, new(500));

        Assert.False(first.IsReplay);
        Assert.True(second.IsReplay);
        Assert.Equal(201, second.Result.Status);
        Assert.Equal(Body, second.Result.Body.ToArray());
        Assert.Equal(headers, second.Result.Headers);
        Assert.False(second.Result.IsBodyOmitted);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task An_empty_body_is_not_an_omitted_one(IdempotencyMode mode)
    {
        var key = NewKey();
        await RunAsync(key, new() { Mode = mode }, new(204));

        var replay = await RunAsync(key, new() { Mode = mode }, new(500));

        Assert.True(replay is { IsReplay: true, HasResult: true, Result: { Status: 204, IsBodyOmitted: false } });
    }

    [Theory]
    [InlineData(IdempotencyMode.SameTransaction)]
    [InlineData(IdempotencyMode.InsertLast)]
    public async Task A_stored_refusal_is_replayed_and_has_no_effect(IdempotencyMode mode)
    {
        var key = NewKey();
        var options = new IdempotencyOptions { Mode = mode };

        Assert.Equal(422, (await RunAsync(key, options, new(422, Body))).Result.Status);

        Assert.Equal(0, await ledger.EffectsAsync(key));
        var replay = await RunAsync(key, options, new(200));
        Assert.True(replay.IsReplay);
        Assert.Equal(422, replay.Result.Status);
        Assert.Equal(Body, replay.Result.Body.ToArray());
    }

    [Theory]
    [InlineData(IdempotencyMode.SameTransaction, 503)]
    [InlineData(IdempotencyMode.InsertLast, 409)]
    [InlineData(IdempotencyMode.SameTransaction, 401)]
    public async Task What_may_be_different_next_time_leaves_nothing(IdempotencyMode mode, int status)
    {
        var key = NewKey();
        var options = new IdempotencyOptions { Mode = mode };

        Assert.Equal(status, (await RunAsync(key, options, new(status))).Result.Status);

        Assert.Equal((0, 0), (await ledger.EffectsAsync(key), await ledger.RowsAsync(key)));
        Assert.False((await RunAsync(key, options, new(200))).IsReplay);
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task In_TwoPhase_it_leaves_the_key_free_for_the_next_one()
    {
        var key = NewKey();
        var options = new IdempotencyOptions { Mode = IdempotencyMode.TwoPhase };
        await RunAsync(key, options, new(503), write: false);

        Assert.Equal(1, await ledger.RowsAsync(key));
        Assert.False((await RunAsync(key, options, new(200))).IsReplay);
    }

    /// <summary>A handler that turns a duplicate into a 4xx: the server has aborted its statement, and the way back leads to the claim.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refusal_can_be_stored_after_a_failed_save(bool inCallersTransaction)
    {
        var key = NewKey();
        await using var db = ledger.Open();
        await using var transaction = inCallersTransaction ? await db.Database.BeginTransactionAsync(Token) : null;
        var unique = Guid.NewGuid().ToString();
        await ledger.ExecuteAsync($"insert into \"Entries\" (\"Text\", \"Unique\") values ('', '{unique}')");

        var outcome = await db.ExecuteIdempotentResponseAsync(
            key,
            Print,
            async (context, token) =>
            {
                context.Add(new Entry { Text = key.Key, Unique = unique });
                await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync(token));
                return new(422);
            },
            cancellationToken: Token);
        await (transaction?.CommitAsync(Token) ?? Task.CompletedTask);

        Assert.False(outcome.IsReplay);
        Assert.True((await RunAsync(key, new(), new(200))).IsReplay);
        Assert.Equal(0, await ledger.EffectsAsync(key));
    }

    [Theory]
    [InlineData(true, 5)]
    [InlineData(false, 1000)]
    public async Task A_body_that_is_not_kept_is_told_so(bool storeBody, int limit)
    {
        var key = NewKey();
        var options = new IdempotencyOptions { StoreBody = storeBody, MaxStoredBytes = limit };
        var first = await RunAsync(key, options, new(201, Body, [new("Location", "/1")]));

        var replay = await RunAsync(key, options, new(500));

        Assert.Equal(Body, first.Result.Body.ToArray());
        Assert.True(replay is { IsReplay: true, HasResult: true });
        Assert.True(replay.Result is { Status: 201, IsBodyOmitted: true, Body.Length: 0 });
        Assert.Equal(new("Location", "/1"), Assert.Single(replay.Result.Headers));
        Assert.Equal(1, await ledger.EffectsAsync(key));
    }

    [Fact]
    public async Task A_typed_result_that_is_not_kept_is_told_so()
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key, new() { StoreBody = false });

        var replay = await ledger.WithdrawOnceAsync(key);

        Assert.True(replay is { IsReplay: true, HasResult: false });
        Assert.Throws<InvalidOperationException>(() => replay.Result);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_protected_body_is_not_in_the_table_and_opens_only_for_its_key(IdempotencyMode mode)
    {
        var (key, other) = (NewKey(), NewKey());
        var options = new IdempotencyOptions { Mode = mode, Protector = new Scrambler() };
        await RunAsync(key, options, new(200, Body));
        await RunAsync(other, options, new(200, Body));

        Assert.NotEqual(Body, await ledger.ColumnAsync<byte[]>(key, "response_body"));
        Assert.Equal("scrambler 1", await ledger.ColumnAsync<string>(key, "protection_key_id"));
        Assert.Equal(Body, (await RunAsync(key, options, new(500))).Result.Body.ToArray());

        await Assert.ThrowsAsync<IdempotencyNotPossibleException>(() => RunAsync(key, new() { Mode = mode }, new(500)));
        await ledger.ExecuteAsync($"update efc.idempotency_key a set response_body = b.response_body from efc.idempotency_key b where a.key = '{key.Key}' and b.key = '{other.Key}'");
        await Assert.ThrowsAsync<System.Security.Cryptography.CryptographicException>(() => RunAsync(key, options, new(500)));
    }

    private async Task<IdempotencyOutcome<IdempotentResponse>> RunAsync(IdempotencyKey key, IdempotencyOptions options, IdempotentResponse response, bool write = true)
    {
        await using var db = ledger.Open();
        return await db.ExecuteIdempotentResponseAsync(
            key,
            Print,
            async (context, token) =>
            {
                if (write)
                {
                    context.Add(new Entry { Text = key.Key });
                    await (options.Mode == IdempotencyMode.InsertLast ? Task.CompletedTask : context.SaveChangesAsync(token));
                }

                return response;
            },
            options,
            Token);
    }

    /// <summary>Not a cipher: enough to see that what goes in is bound to its key.</summary>
    private sealed class Scrambler : IIdempotencyProtector
    {
        public string ProtectionKeyId => "scrambler 1";

        public byte[] Protect(ReadOnlySpan<byte> body, ReadOnlySpan<byte> associatedData)
            => [.. System.Security.Cryptography.SHA256.HashData(associatedData), .. Encoding.UTF8.GetBytes(Convert.ToHexString(body))];

        public byte[] Unprotect(ReadOnlySpan<byte> protectedBody, ReadOnlySpan<byte> associatedData, string protectionKeyId)
        {
            Assert.Equal(ProtectionKeyId, protectionKeyId);
            return protectedBody[..32].SequenceEqual(System.Security.Cryptography.SHA256.HashData(associatedData))
                ? Convert.FromHexString(Encoding.UTF8.GetString(protectedBody[32..]))
                : throw new System.Security.Cryptography.CryptographicException("not this key's");
        }
    }
}
