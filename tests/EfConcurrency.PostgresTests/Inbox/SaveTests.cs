using EfConcurrency.Inbox;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>The inbox row in the batch of the save.</summary>
public sealed class SaveTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<ServerJudgedSaves, AutoTransactionBehavior, Caller, int, bool> Ways => new(
        [ServerJudgedSaves.WhenAvailable, ServerJudgedSaves.Never],
        [AutoTransactionBehavior.WhenNeeded, AutoTransactionBehavior.Always, AutoTransactionBehavior.Never],
        [Caller.NoTransaction, Caller.Transaction, Caller.TransactionWithoutSavepoints],
        [0, 1, 3],
        [false, true]);

    public enum Caller
    {
        NoTransaction,
        Transaction,
        TransactionWithoutSavepoints,
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_duplicate_leaves_nothing_of_the_save_even_if_the_caller_goes_on_and_commits(
        ServerJudgedSaves judge, AutoTransactionBehavior behavior, Caller caller, int rows, bool sync)
    {
        var order = NewOrder();
        foreach (var isNew in (bool[])[true, false])
        {
            await using var db = shop.Open(configure: o => o.UseEfConcurrency(e => e.UseServerJudgedSaves(judge)));
            db.Database.AutoTransactionBehavior = behavior;
            db.Database.AutoSavepointsEnabled = caller != Caller.TransactionWithoutSavepoints;
            await using var transaction = caller == Caller.NoTransaction ? null : await db.Database.BeginTransactionAsync(Token);
            db.AddRange(Enumerable.Range(0, rows).Select(_ => new Bill { Order = order }));
            db.Inbox().AcceptWithNextSave(Consumer, order);
            var save = () => sync ? Task.FromResult(db.SaveChanges()) : db.SaveChangesAsync(Token);
            if (isNew)
            {
                Assert.Equal(rows, await save());
            }
            else
            {
                var duplicate = await Assert.ThrowsAsync<InboxDuplicateException>(save);
                Assert.Equal((Consumer, order), (duplicate.Consumer, duplicate.MessageId));
                await Record.ExceptionAsync(save); // of which nothing may come, either
            }

            await Record.ExceptionAsync(() => transaction?.CommitAsync(Token) ?? Task.CompletedTask);
        }

        Assert.Equal(rows, await shop.BillsAsync(order));
        Assert.Equal(1, await shop.AcceptedAsync(order));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_refused_version_leaves_nothing_accepted(ServerJudgedSaves judge, AutoTransactionBehavior behavior, Caller caller, int rows, bool sync)
    {
        var id = NewOrder();
        var stock = await shop.AddStockAsync();
        await using (var db = shop.Open(configure: o => o.UseEfConcurrency(e => e.UseServerJudgedSaves(judge))))
        {
            db.Database.AutoTransactionBehavior = behavior;
            (await db.Stocks.SingleAsync(s => s.Id == stock, Token)).Sold++;
            await shop.ExecuteAsync($"update \"Stocks\" set \"Version\" = \"Version\" + 1 where \"Id\" = {stock}");
            await using var transaction = caller == Caller.NoTransaction ? null : await db.Database.BeginTransactionAsync(Token);
            db.AddRange(Enumerable.Range(0, rows).Select(_ => new Bill { Order = id }));
            db.Inbox().AcceptWithNextSave(Consumer, id);
            await Assert.ThrowsAsync<VersionConflictException>(() => sync ? Task.FromResult(db.SaveChanges()) : db.SaveChangesAsync(Token));
        }

        Assert.Equal(0, await shop.BillsAsync(id));
        Assert.Equal(0, await shop.AcceptedAsync(id));
    }

    [Fact]
    public async Task TrySave_tells_whether_the_message_was_new()
    {
        var order = NewOrder();
        foreach (var isNew in (bool[])[true, false])
        {
            await using var db = shop.Open();
            db.Add(new Bill { Order = order });
            Assert.Equal(isNew, await db.Inbox().TrySaveAsync(Consumer, order, Token));
        }

        Assert.Equal(1, await shop.BillsAsync(order));
    }

    [Fact]
    public async Task Of_many_that_save_the_same_message_at_once_one_does()
    {
        var order = NewOrder();
        var isNew = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            await using var db = shop.Open();
            db.AddRange(new Bill { Order = order }, new Bill { Order = order });
            return await db.Inbox().TrySaveAsync(Consumer, order, Token);
        }));
        Assert.Single(isNew, true);
        Assert.Equal(2, await shop.BillsAsync(order));
    }

    [Fact]
    public async Task What_was_refused_as_a_duplicate_is_not_saved_by_a_later_save()
    {
        var order = NewOrder();
        await AcceptTests.AcceptAsync(shop, shop.ConnectionString, order);
        await using var db = shop.Open();
        db.Add(new Bill { Order = order });
        Assert.False(await db.Inbox().TrySaveAsync(Consumer, order, Token));
        await Assert.ThrowsAsync<InboxDuplicateException>(() => db.SaveChangesAsync(Token));
        Assert.False(await db.Inbox().TrySaveAsync(Consumer, order, Token));
        Assert.Equal(0, await shop.BillsAsync(order));
    }

    [Fact]
    public async Task A_save_that_failed_for_another_reason_can_be_repeated()
    {
        var order = NewOrder();
        await using var db = shop.Open();
        var bill = db.Add(new Bill { Order = "a\0b" });
        await Assert.ThrowsAsync<DbUpdateException>(() => db.Inbox().TrySaveAsync(Consumer, order, Token));
        bill.Entity.Order = order;
        Assert.True(await db.Inbox().TrySaveAsync(Consumer, order, Token));
        Assert.Equal((1, 1), (await shop.BillsAsync(order), await shop.AcceptedAsync(order)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_kind_of_write_is_refused_while_it_would_be_committed_without_the_message(bool isInTransaction)
    {
        await using var db = shop.Open();
        db.Inbox().AcceptWithNextSave(Consumer, NewOrder());
        var order = NewOrder();
        var write = () => db.Database.ExecuteSqlAsync($"""insert into "Bills" ("Order") values ({order})""", Token);
        await using var transaction = isInTransaction ? await db.Database.BeginTransactionAsync(Token) : null;
        if (isInTransaction)
        {
            Assert.Equal(1, await write());
            return;
        }

        await Assert.ThrowsAsync<InboxTransactionRequiredException>(write);
        Assert.Throws<InboxTransactionRequiredException>(() => db.Bills.ExecuteDelete());
        await Assert.ThrowsAsync<InboxTransactionRequiredException>(() => db.Bills.ExecuteUpdateAsync(s => s.SetProperty(b => b.Order, ""), Token));
        Assert.Equal(0, await shop.BillsAsync(order));
    }

    [Fact]
    public async Task A_pooled_context_forgets_what_it_was_to_accept()
    {
        var builder = new DbContextOptionsBuilder<ShopContext>();
        Configure(builder, shop.ConnectionString);
        var pool = new Microsoft.EntityFrameworkCore.Infrastructure.PooledDbContextFactory<ShopContext>(builder.Options, poolSize: 1);
        var order = NewOrder();
        await using (var db = pool.CreateDbContext())
        {
            db.Inbox().AcceptWithNextSave(Consumer, order);
        }

        await using (var db = pool.CreateDbContext())
        {
            db.Add(new Bill { Order = order });
            await db.SaveChangesAsync(Token);
        }

        Assert.Equal((1, 0), (await shop.BillsAsync(order), await shop.AcceptedAsync(order)));
    }
}
