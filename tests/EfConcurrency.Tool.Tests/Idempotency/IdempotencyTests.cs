using EfConcurrency.Tool.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Tests.Idempotency;

public sealed class IdempotencyTests(ToolDatabase database) : IClassFixture<ToolDatabase>, IAsyncLifetime
{
    private const string Secret = "card 4711";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await database.ExecuteAsync("truncate efc.idempotency_key");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_key_is_shown_without_what_is_stored_of_its_response()
    {
        await CompleteAsync("shop", "pay-1");
        await database.ExecuteAsync("update efc.idempotency_key set recovery_data = '{\"charge\": \"card 4711\"}'");

        var json = (await Efc.RunAsync(database.ConnectionString, "idempotency", "show", "pay-1", "-o", "json")).Expect(0);
        Assert.Equal("completed", json.Json.GetProperty("state").GetString());
        Assert.Equal("shop", json.Json.GetProperty("scope").GetString());
        Assert.Equal("charge", json.Json.GetProperty("stepsDone")[0].GetString());
        Assert.True(json.Json.GetProperty("responseBytes").GetInt32() > 0);
        var table = (await Efc.RunAsync(database.ConnectionString, "idempotency", "show", "pay-1", "--scope", "shop")).Expect(0);
        Assert.DoesNotContain(Secret, json.Output + table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_several_scopes_needs_its_scope_and_an_unknown_one_is_said_to_be_that()
    {
        await CompleteAsync("shop", "pay-2");
        await CompleteAsync("bank", "pay-2");
        Assert.Contains("bank, shop", (await Efc.RunAsync(database.ConnectionString, "idempotency", "show", "pay-2")).Expect(2).OneError(), StringComparison.Ordinal);
        (await Efc.RunAsync(database.ConnectionString, "idempotency", "show", "pay-2", "--scope", "mail")).Expect(4).OneError();
    }

    [Fact]
    public async Task Only_what_is_stuck_is_listed()
    {
        await CompleteAsync("shop", "done");
        await CompleteAsync("shop", "gone");
        await CompleteAsync("shop", "halfway");
        await database.ExecuteAsync("""
            update efc.idempotency_key set state = 0, locked_until = clock_timestamp() - interval '1 minute', completed_at = null where key = 'gone';
            update efc.idempotency_key set state = 2, recovery_point = 'charge', completed_at = null where key = 'halfway';
            """);

        var stuck = (await Efc.RunAsync(database.ConnectionString, "idempotency", "list", "--stuck", "-o", "json")).Expect(0).Json.EnumerateArray()
            .ToDictionary(k => k.GetProperty("key").GetString()!, k => k.GetProperty("state").GetString());
        Assert.Equal(new() { ["gone"] = "abandoned", ["halfway"] = "needsResolution" }, stuck);
        var old = (await Efc.RunAsync(database.ConnectionString, "idempotency", "list", "--stuck", "--older-than", "1h")).Expect(0);
        Assert.DoesNotContain("gone", old.Output, StringComparison.Ordinal);
        Assert.Contains("needs resolution", old.Output, StringComparison.Ordinal);
        (await Efc.RunAsync(database.ConnectionString, "idempotency", "list")).Expect(2).OneError();
    }

    [Fact]
    public async Task Expired_keys_are_forgotten_when_that_is_confirmed()
    {
        await CompleteAsync("shop", "old");
        await CompleteAsync("shop", "young");
        await database.ExecuteAsync("update efc.idempotency_key set expires_at = clock_timestamp() - interval '1 s' where key = 'old'");

        Assert.Contains("Expired: 1 key.", (await Contents.UnchangedAsync(database, "idempotency", "expire", "--dry-run")).Expect(0).Error, StringComparison.Ordinal);
        (await Contents.UnchangedAsync(database, "idempotency", "expire", "--reason", "r")).Expect(2);
        (await Contents.UnchangedAsync(database, "idempotency", "expire", "--yes")).Expect(2);
        (await Efc.RunAsync(database.ConnectionString, "idempotency", "expire", "--reason", "space", "--yes")).Expect(0);
        Assert.Equal("young", await database.ScalarAsync<string>("select string_agg(key, ' ') from efc.idempotency_key"));
    }

    private async Task CompleteAsync(string scope, string key)
    {
        await using var db = database.Open();
        await db.ExecuteIdempotentlyAsync(new(scope, key), "pay", (_, _) => Task.FromResult(Secret), cancellationToken: Token);
    }
}
