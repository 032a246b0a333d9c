using System.Transactions;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Versioning.RetryOptions;

namespace EfConcurrency.PostgresTests.Versioning;

/// <summary>What a unit of RetryOnConflict can not be, and is told at once.</summary>
public sealed class RetryNotPossibleTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_context_in_a_transaction_is_refused()
    {
        await using var db = shop.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);

        var error = await Assert.ThrowsAsync<RetryNotPossibleException>(() => db.RetryOnConflictAsync((_, _) => Task.CompletedTask, cancellationToken: Token));

        Assert.Contains("open transaction", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_context_with_unsaved_changes_is_refused()
    {
        await using var db = shop.Open();
        db.Add(new Plain());

        var error = await Assert.ThrowsAsync<RetryNotPossibleException>(() => db.RetryOnConflictAsync((_, _) => Task.CompletedTask, cancellationToken: Token));

        Assert.Contains("unsaved changes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_unit_inside_a_unit_on_the_same_context_is_refused()
    {
        await using var db = shop.Open();

        var error = await Assert.ThrowsAsync<RetryNotPossibleException>(() => db.RetryOnConflictAsync(
            (context, token) => context.RetryOnConflictAsync((_, _) => Task.CompletedTask, cancellationToken: token), cancellationToken: Token));

        Assert.Contains("call the inner work directly", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ambient_transaction_is_refused_in_both_forms()
    {
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var db = shop.Open();

        foreach (var options in (RetryOnConflictOptions[])[NoPause, PerSave])
        {
            await Assert.ThrowsAsync<RetryNotPossibleException>(() => db.RetryOnConflictAsync((_, _) => Task.CompletedTask, options, Token));
            await Assert.ThrowsAsync<RetryNotPossibleException>(() => shop.Factory.RetryOnConflictAsync((_, _) => Task.CompletedTask, options, Token));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_unit_that_ends_the_transaction_itself_is_refused_and_not_run_again(bool commit)
    {
        var attempts = 0;

        await Assert.ThrowsAsync<RetryNotPossibleException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                db.Add(new Plain());
                await db.SaveChangesAsync(token);
                await (commit ? db.Database.CommitTransactionAsync(token) : db.Database.RollbackTransactionAsync(token));
                throw new DbUpdateConcurrencyException("a conflict in what follows");
            },
            NoPause,
            Token));

        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task With_a_transaction_per_save_a_second_save_is_refused()
    {
        await Assert.ThrowsAsync<RetryNotPossibleException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                db.Add(new Plain());
                await db.SaveChangesAsync(token);
                db.Add(new Plain());
                await db.SaveChangesAsync(token);
            },
            new RetryOnConflictOptions { Transaction = ConflictRetryTransaction.PerSave },
            Token));
    }

    [Fact]
    public async Task With_a_transaction_per_save_a_write_beside_the_save_is_refused()
    {
        var id = (await shop.AddAsync(new Counter())).Id;

        await Assert.ThrowsAsync<RetryNotPossibleException>(() => shop.Factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                await db.Counters.Where(c => c.Id == id).ExecuteUpdateAsync(s => s.SetProperty(c => c.Value, c => c.Value + 1), token);
                db.Add(new Plain());
                await db.SaveChangesAsync(token);
            },
            PerSave,
            Token));
    }
}
