using EfConcurrency.Outbox;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>Messages are kept, sent again and forgotten exactly when EF's tracked changes are.</summary>
public sealed class EnqueueTrackerTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_save_that_failed_keeps_its_messages_for_the_next(bool sync)
    {
        var sale = (await shop.AddSalesAsync(1))[0];
        await shop.ExecuteAsync($"update \"Sales\" set \"Version\" = 5 where \"Id\" = {sale.Id}");
        await using var db = shop.Open();
        db.Attach(sale).Entity.Number = 7;
        var id = db.Outbox().Enqueue(new SaleMade(sale.Id, ""));
        var refused = await Assert.ThrowsAsync<VersionConflictException>(async () => _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));
        Assert.Equal(0, await shop.CopiesAsync(id));

        await refused.Entries[0].ReloadAsync(Token);
        sale.Number = 8;
        _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token);

        Assert.Equal(1, await shop.CopiesAsync(id));
        Assert.Equal(0, db.Outbox().UnsavedCount);
    }

    [Fact]
    public async Task Clearing_the_change_tracker_forgets_them()
    {
        await using var db = shop.Open();
        db.Add(new Sale());
        var id = db.Outbox().Enqueue(new SaleMade(1, ""));
        db.ChangeTracker.Clear();
        Assert.Equal(0, db.Outbox().UnsavedCount);
        await db.SaveChangesAsync(Token);

        Assert.Equal(0, await shop.CopiesAsync(id));
    }

    [Fact]
    public async Task A_pooled_context_comes_back_without_them()
    {
        await using (var probe = shop.Open())
        {
            var pool = new PooledDbContextFactory<EnqueueContext>((DbContextOptions<EnqueueContext>)probe.GetService<IDbContextOptions>(), poolSize: 1);
            Guid id;
            EnqueueContext first;
            await using (first = await pool.CreateDbContextAsync(Token))
            {
                id = first.Outbox().Enqueue(new SaleMade(1, ""));
            }

            await using var second = await pool.CreateDbContextAsync(Token);
            Assert.Same(first, second);
            Assert.Equal(0, second.Outbox().UnsavedCount);
            await second.SaveChangesAsync(Token);
            Assert.Equal(0, await shop.CopiesAsync(id));
        }
    }

    [Fact]
    public async Task What_was_saved_in_a_transaction_that_is_rolled_back_is_not_sent_again_and_what_was_not_saved_is()
    {
        await using var db = shop.Open();
        Guid saved, unsaved;
        await using (var transaction = await db.Database.BeginTransactionAsync(Token))
        {
            saved = db.Outbox().Enqueue(new SaleMade(1, ""));
            await db.SaveChangesAsync(Token);
            unsaved = db.Outbox().Enqueue(new SaleMade(2, ""));
            await transaction.RollbackAsync(Token);
        }

        await db.SaveChangesAsync(Token);
        Assert.Equal(0, await shop.CopiesAsync(saved));
        Assert.Equal(1, await shop.CopiesAsync(unsaved));
    }

    [Fact]
    public async Task A_save_that_failed_in_a_transaction_keeps_them_for_the_next_of_the_same_transaction()
    {
        var code = Guid.NewGuid().ToString();
        await shop.ExecuteAsync($"insert into \"Slips\" (\"Code\") values ('{code}')");
        await using var db = shop.Open();
        await using var transaction = await db.Database.BeginTransactionAsync(Token);
        var slip = db.Add(new Slip { Code = code }).Entity;
        var id = db.Outbox().Enqueue(new SaleMade(1, ""));
        await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Token));
        slip.Code = Guid.NewGuid().ToString();
        await db.SaveChangesAsync(Token);
        await transaction.CommitAsync(Token);

        Assert.Equal(1, await shop.CopiesAsync(id));
    }

    /// <summary>EF's own way of repeating a transaction whose commit may be lost: changes stay unaccepted until it is known.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_acceptance_they_are_sent_again_until_they_are_accepted(bool withEntity)
    {
        await using var db = shop.Open();
        if (withEntity)
        {
            db.Add(new Sale());
        }

        var id = db.Outbox().Enqueue(new SaleMade(1, ""));
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            Assert.Equal(withEntity ? 1 : 0, await db.SaveChangesAsync(acceptAllChangesOnSuccess: false, Token));
            Assert.Equal(1, await CopiesInAsync(db, id));
            if (attempt == 0)
            {
                await transaction.RollbackAsync(Token);
            }
            else
            {
                await transaction.CommitAsync(Token);
            }
        }

        var later = db.Outbox().Enqueue(new SaleMade(2, ""));
        db.ChangeTracker.AcceptAllChanges();
        Assert.Equal(1, db.Outbox().UnsavedCount);
        await db.SaveChangesAsync(Token);

        Assert.Equal(1, await shop.CopiesAsync(id));
        Assert.Equal(1, await shop.CopiesAsync(later));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task The_execution_strategy_repeats_a_save_with_its_messages(bool withEntity, bool sync)
    {
        await using var proxy = shop.StartProxy();
        await using var db = shop.Open(options: o => o.UseNpgsql(proxy.ConnectionString, n => n.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(1), null)));
        db.Outbox().Enqueue(new SaleMade(0, "warm up"));
        await db.SaveChangesAsync(Token);
        if (withEntity)
        {
            db.Add(new Sale());
        }

        var id = db.Outbox().Enqueue(new SaleMade(1, ""));
        var cut = proxy.FaultNextBatch(CommitFault.CutBefore);
        _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token);
        await cut;

        Assert.Equal(1, await shop.CopiesAsync(id));
        Assert.Equal(0, db.Outbox().UnsavedCount);
    }

    [Fact]
    public async Task A_save_that_an_interceptor_suppresses_sends_none()
    {
        await using var db = shop.Open(options: o => o.AddInterceptors(new Suppressing()));
        db.Add(new Sale());
        var id = db.Outbox().Enqueue(new SaleMade(1, ""));
        await db.SaveChangesAsync(Token);

        Assert.Equal(0, await shop.CopiesAsync(id));
        Assert.Equal(1, db.Outbox().UnsavedCount);
    }

    [Fact]
    public async Task What_an_interceptor_enqueues_while_saving_leaves_with_the_same_save()
    {
        var events = new DomainEvents();
        await using var db = shop.Open(options: o => o.AddInterceptors(events));
        db.Add(new Sale());
        await db.SaveChangesAsync(Token);

        Assert.Equal(1, await shop.CopiesAsync(Assert.Single(events.Ids)));
    }

    private static Task<int> CopiesInAsync(EnqueueContext db, Guid id) => db.Set<OutboxRecord>().CountAsync(r => r.MessageId == id, Token);

    private sealed class Suppressing : SaveChangesInterceptor
    {
        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(InterceptionResult<int>.SuppressWithResult(0));
    }

    private sealed class DomainEvents : SaveChangesInterceptor
    {
        public List<Guid> Ids { get; } = [];

        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            Ids.Add(eventData.Context!.Outbox().Enqueue(new SaleMade(1, "")));
            return ValueTask.FromResult(result);
        }
    }
}
