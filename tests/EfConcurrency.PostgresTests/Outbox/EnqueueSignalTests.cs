using System.Runtime.CompilerServices;
using System.Transactions;
using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A dispatcher in the same process is woken when a message is committed, and not before.</summary>
public sealed class EnqueueSignalTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_save_wakes_the_listener(bool withEntity, bool sync)
    {
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        var waiting = signal.WaitAsync(Patience, Token);
        if (withEntity)
        {
            db.Add(new Sale());
        }

        db.Outbox().Enqueue(new SaleMade(1, ""));
        Assert.False(waiting.IsCompleted);
        _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token);

        Assert.True(await waiting);
        Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));
    }

    [Fact]
    public async Task A_save_without_a_message_wakes_nobody()
    {
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        db.Add(new Sale());
        await db.SaveChangesAsync(Token);

        Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_a_transaction_its_commit_wakes_the_listener(bool sync)
    {
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        db.Outbox().Enqueue(new SaleMade(1, ""));
        await db.SaveChangesAsync(Token);
        Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));
        if (sync)
        {
            transaction.Commit();
        }
        else
        {
            await transaction.CommitAsync(Token);
        }

        Assert.True(await signal.WaitAsync(Patience, Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rollback_wakes_nobody_and_nor_does_the_next_commit(bool sync)
    {
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        await using (var transaction = await db.Database.BeginTransactionAsync(Token))
        {
            db.Outbox().Enqueue(new SaleMade(1, ""));
            await db.SaveChangesAsync(Token);
            if (sync)
            {
                transaction.Rollback();
            }
            else
            {
                await transaction.RollbackAsync(Token);
            }
        }

        await using (var next = await db.Database.BeginTransactionAsync(Token))
        {
            await next.CommitAsync(Token);
        }

        Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));
    }

    [Fact]
    public async Task A_unit_of_RetryOnConflict_wakes_the_listener_by_its_commit()
    {
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                context.Outbox().Enqueue(new SaleMade(1, ""));
                await context.SaveChangesAsync(token);
                Assert.False(await signal.WaitAsync(TimeSpan.Zero, token));
            },
            cancellationToken: Token);

        Assert.True(await signal.WaitAsync(Patience, Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_TransactionScope_wakes_the_listener_when_it_is_completed(bool complete)
    {
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        Guid id;
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            id = db.Outbox().Enqueue(new SaleMade(1, ""));
            await db.SaveChangesAsync(Token);
            Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));
            if (complete)
            {
                scope.Complete();
            }
        }

        Assert.Equal(complete, await signal.WaitAsync(complete ? Patience : TimeSpan.Zero, Token));
        Assert.Equal(complete ? 1 : 0, await shop.CopiesAsync(id));
    }

    [Fact]
    public async Task A_refused_save_wakes_nobody()
    {
        var sale = (await shop.AddSalesAsync(1))[0];
        await shop.ExecuteAsync($"update \"Sales\" set \"Version\" = 9 where \"Id\" = {sale.Id}");
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        db.Attach(sale).Entity.Number = 7;
        db.Outbox().Enqueue(new SaleMade(1, ""));
        await Assert.ThrowsAnyAsync<DbUpdateException>(() => db.SaveChangesAsync(Token));

        Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));
    }

    [Fact]
    public async Task A_raise_between_two_waits_is_not_missed()
    {
        await using var db = shop.Open();
        var signal = OutboxSignal.Of(db);
        signal.Raise();
        Assert.True(await signal.WaitAsync(TimeSpan.Zero, Token));
        signal.Raise();
        signal.Raise();
        Assert.True(await signal.WaitAsync(TimeSpan.Zero, Token));
        Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));

        // After a wait that found nothing, too.
        signal.Raise();
        Assert.True(await signal.WaitAsync(Patience, Token));
    }

    [Fact]
    public async Task Every_listener_hears_and_a_cancelled_wait_says_so()
    {
        await using var db = shop.Open();
        var signals = Enumerable.Range(0, 3).Select(_ => OutboxSignal.Of(db)).ToList();
        using var cancelled = new CancellationTokenSource();
        var abandoned = signals[0].WaitAsync(Patience, cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
        OutboxSignal.Raise(db);

        Assert.All(await Task.WhenAll(signals.Select(s => s.WaitAsync(Patience, Token))), Assert.True);
    }

    [Fact]
    public async Task Another_database_is_another_signal()
    {
        await using var other = await shop.CreateDatabaseAsync();
        await using var db = shop.Open();
        await using var elsewhere = shop.Open(connectionString: other.ConnectionString);
        var signal = OutboxSignal.Of(elsewhere);
        OutboxSignal.Raise(db);
        Assert.False(await signal.WaitAsync(TimeSpan.Zero, Token));
    }

    [Fact]
    public void Databases_that_nobody_listens_to_are_forgotten()
    {
        ListenAndLeave(500);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        ListenAndLeave(1);
        Assert.InRange(OutboxSignal.Databases, 1, 400);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ListenAndLeave(int databases)
    {
        for (var i = 0; i < databases; i++)
        {
            using var db = shop.Open(connectionString: $"Host=none;Database={Guid.NewGuid()}");
            _ = OutboxSignal.Of(db);
        }
    }
}
