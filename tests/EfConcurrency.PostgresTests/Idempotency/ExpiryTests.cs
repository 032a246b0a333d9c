using EfConcurrency.Idempotency;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using static EfConcurrency.PostgresTests.Idempotency.LedgerDatabase;

namespace EfConcurrency.PostgresTests.Idempotency;

/// <summary>Keys that are forgotten, by the database's clock, and keys that are erased.</summary>
public sealed class ExpiryTests(LedgerDatabase ledger) : IClassFixture<LedgerDatabase>
{
    private const string Expired = "expires_at = clock_timestamp() - interval '1 ms'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(IdempotencyMode.SameTransaction)]
    [InlineData(IdempotencyMode.TwoPhase)]
    public async Task An_expired_key_begins_a_new_life_with_a_higher_fence_and_any_request(IdempotencyMode mode)
    {
        var key = NewKey();
        var first = await ledger.WithdrawOnceAsync(key, new() { Mode = mode });
        await ledger.SetAsync(key, Expired);
        await using var db = ledger.Open();

        var second = await db.ExecuteIdempotentlyAsync(key, new Withdrawal(7), (context, token) => WithdrawAsync(context, key, token), new() { Mode = mode }, Token);

        Assert.False(second.IsReplay);
        Assert.True(second.Fence > first.Fence);
        Assert.Equal(2, await ledger.EffectsAsync(key));
        Assert.Equal(1, await ledger.ColumnAsync<int>(key, "attempts"));
        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => ledger.WithdrawOnceAsync(key));
    }

    [Fact]
    public async Task In_InsertLast_too()
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key);
        await ledger.SetAsync(key, Expired);
        await using var db = ledger.Open();

        var second = await db.ExecuteIdempotentlyAsync(
            key,
            new Withdrawal(7),
            (context, _) =>
            {
                context.Add(new Entry { Text = key.Key });
                return Task.CompletedTask;
            },
            new() { Mode = IdempotencyMode.InsertLast },
            Token);

        Assert.False(second.IsReplay);
        Assert.Equal(2, await ledger.EffectsAsync(key));
    }

    /// <summary>Retention ends while the work runs, or while someone has to look: the claim is not given away.</summary>
    [Theory]
    [InlineData("locked_until = clock_timestamp() + interval '1 minute', state = 0", typeof(IdempotencyInProgressException))]
    [InlineData("state = 2", typeof(IdempotencyNeedsResolutionException))]
    public async Task What_is_unfinished_does_not_expire(string state, Type refusal)
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key);
        await ledger.SetAsync(key, $"{Expired}, {state}");

        Assert.IsType(refusal, await Record.ExceptionAsync(() => ledger.WithdrawOnceAsync(key)));
        await using var db = ledger.Open();
        await db.Idempotency().DeleteExpiredAsync(Token);
        Assert.Equal(1, await ledger.RowsAsync(key));
    }

    [Fact]
    public async Task Expired_keys_are_deleted_and_no_others()
    {
        var (old, young) = (NewKey(), NewKey());
        await ledger.WithdrawOnceAsync(old);
        await ledger.WithdrawOnceAsync(young, new() { Retention = TimeSpan.FromMinutes(1) });
        await ledger.SetAsync(old, Expired);
        await using var db = ledger.Open();

        Assert.True(await db.Idempotency().DeleteExpiredAsync(Token) >= 1);

        Assert.Equal((0, 1), (await ledger.RowsAsync(old), await ledger.RowsAsync(young)));
    }

    [Fact]
    public async Task A_row_that_is_being_renewed_is_left_alone_and_not_waited_for()
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key);
        await ledger.SetAsync(key, Expired);
        await using var other = new NpgsqlConnection(ledger.ConnectionString);
        await other.OpenAsync(Token);
        await using var transaction = await other.BeginTransactionAsync(Token);
        await using (var command = new NpgsqlCommand($"select 1 from efc.idempotency_key where key = '{key.Key}' for update", other, transaction))
        {
            await command.ExecuteNonQueryAsync(Token);
        }

        await using var db = ledger.Open();
        await db.Idempotency().DeleteExpiredAsync(Token).WaitAsync(TimeSpan.FromMinutes(1), Token);

        Assert.Equal(1, await ledger.RowsAsync(key));
    }

    [Fact]
    public async Task The_service_deletes_them_in_the_background()
    {
        var key = NewKey();
        await ledger.WithdrawOnceAsync(key);
        await ledger.SetAsync(key, Expired);
        await using var provider = new ServiceCollection()
            .AddLogging()
            .AddDbContext<LedgerContext>(o => o.UseNpgsql(ledger.ConnectionString).UseEfConcurrency())
            .AddIdempotencyCleanup<LedgerContext>(o => o.Interval = TimeSpan.FromSeconds(1))
            .BuildServiceProvider();
        var service = provider.GetRequiredService<IHostedService>();

        await service.StartAsync(Token);
        await Eventually.IsTrueAsync(async () => await ledger.RowsAsync(key) == 0);
        await service.StopAsync(Token);
    }

    [Fact]
    public async Task A_scope_is_erased_and_its_keys_are_new_again()
    {
        var tenant = $"tenant_{Guid.NewGuid():n}";
        var key = NewKey($"{tenant}|a");
        var like = NewKey($"{tenant.Replace('_', 'x')}|a");
        await ledger.WithdrawOnceAsync(key);
        await ledger.WithdrawOnceAsync(new($"{tenant}|b", key.Key));
        await ledger.WithdrawOnceAsync(like);
        await using var db = ledger.Open();

        Assert.Equal(1, await db.Idempotency().EraseScopeAsync($"{tenant}|a", cancellationToken: Token));
        Assert.Equal(0, await db.Idempotency().EraseScopeAsync(tenant, cancellationToken: Token));
        Assert.Equal(1, await db.Idempotency().EraseScopesStartingWithAsync($"{tenant}|", cancellationToken: Token));

        Assert.Equal((0, 1), (await ledger.RowsAsync(key), await ledger.RowsAsync(like)));
        Assert.False((await ledger.WithdrawOnceAsync(key)).IsReplay);
    }

    [Fact]
    public async Task What_is_being_worked_on_is_not_erased()
    {
        var scope = $"tenant {Guid.NewGuid():n}";
        var (running, left) = (NewKey(scope), NewKey(scope));
        await ledger.WithdrawOnceAsync(running);
        await ledger.WithdrawOnceAsync(left);
        await ledger.SetAsync(running, "state = 0, locked_until = clock_timestamp() + interval '1 minute'");
        await ledger.SetAsync(left, "state = 2");
        await using var db = ledger.Open();

        Assert.Equal(0, await db.Idempotency().EraseScopeAsync(scope, cancellationToken: Token));
        Assert.Equal(1, await db.Idempotency().EraseScopeAsync(scope, includeUnfinished: true, Token));
        Assert.Equal((1, 0), (await ledger.RowsAsync(running), await ledger.RowsAsync(left)));
    }
}
