using System.Data;
using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using EfConcurrency.Testing;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>Handlers against each other, and against what breaks.</summary>
public sealed class RaceTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(IsolationLevel.ReadCommitted)]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task A_duplicate_that_comes_while_the_first_is_handled_waits_and_does_nothing(IsolationLevel level)
    {
        var entered = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var services = shop.Services(
            async (db, message, context, token) =>
            {
                entered.SetResult(); // a second time would throw
                await go.Task;
                await Billing(db, message, context, token);
            },
            consumer: o => o.Retry = new() { IsolationLevel = level });
        var message = Message(NewOrder());
        var first = ProcessAsync(services, message);
        await entered.Task;
        var second = ProcessAsync(services, message);
        await shop.UntilWaitingForLocksAsync(1);
        go.SetResult();

        Assert.Equal(new InboxResult(InboxOutcome.Handled), await first);
        Assert.Equal(new InboxResult(InboxOutcome.Duplicate), await second);
        Assert.Equal(1, await shop.BillsAsync(message.Key!));
    }

    [Fact]
    public async Task A_duplicate_takes_over_when_the_first_fails()
    {
        var entered = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var services = shop.Services(async (db, message, context, token) =>
        {
            await Billing(db, message, context, token);
            if (entered.TrySetResult())
            {
                await go.Task;
                throw new NotSupportedException();
            }
        });
        var message = Message(NewOrder());
        var first = ProcessAsync(services, message);
        await entered.Task;
        var second = ProcessAsync(services, message);
        await shop.UntilWaitingForLocksAsync(1);
        go.SetResult();

        Assert.Equal(InboxOutcome.Failed, (await first).Outcome);
        Assert.Equal(InboxOutcome.Handled, (await second).Outcome);
        Assert.Equal(1, await shop.BillsAsync(message.Key!));
    }

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit, false)]
    [InlineData(ConflictRetryTransaction.PerUnit, true)]
    [InlineData(ConflictRetryTransaction.PerSave, false)]
    public async Task Handlers_that_fight_for_a_row_all_win_once(ConflictRetryTransaction transaction, bool retriesOnFailure)
    {
        var stock = await shop.AddStockAsync();
        await using var services = shop.Services(
            async (db, message, context, token) =>
            {
                (await db.Stocks.SingleAsync(s => s.Id == message.Stock, token)).Sold++;
                await Billing(db, message, context, token);
            },
            consumer: o => o.Retry = new() { Transaction = transaction, MaxAttempts = 50 },
            options: o => o.UseNpgsql(n => _ = retriesOnFailure ? n.EnableRetryOnFailure() : n));
        var order = NewOrder();
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => ProcessAsync(services, Message(order, stock: stock)), Token)));

        Assert.All(results, r => Assert.Equal(new InboxResult(InboxOutcome.Handled), r));
        Assert.Equal(40, await shop.ScalarAsync<int>($"select \"Sold\" from \"Stocks\" where \"Id\" = {stock}"));
        Assert.Equal(40, await shop.BillsAsync(order));
    }

    /// <summary>One batch waits in its middle, so that the other comes to its first message before it has the last.</summary>
    [Fact]
    public async Task Batches_with_the_same_messages_in_another_order_do_not_deadlock()
    {
        var now = DateTimeOffset.UtcNow;
        InboxKey[] keys = [.. Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7(now)).OrderBy(id => id.ToString(), StringComparer.Ordinal).Select(InboxKey.Of)];
        await using var gate = shop.Open();
        await using var hold = await gate.Database.BeginTransactionAsync(Token);
        await ContextInbox.Of(gate).TryAcceptAsync(Consumer, [keys[1]], Token);

        var first = AcceptAsync(keys);
        await shop.UntilWaitingForLocksAsync(1);
        var second = AcceptAsync([keys[2], keys[0]]);
        await shop.UntilWaitingForLocksAsync(2);
        await hold.RollbackAsync(Token);
        Assert.DoesNotContain(false, await first);
        Assert.DoesNotContain(true, await second);

        async Task<bool[]> AcceptAsync(InboxKey[] batch)
        {
            await using var db = shop.Open();
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            var isNew = await ContextInbox.Of(db).TryAcceptAsync(Consumer, batch, Token);
            await transaction.CommitAsync(Token);
            return isNew;
        }
    }

    [Fact]
    public async Task Deadlocked_handlers_are_run_again()
    {
        int[] stocks = [await shop.AddStockAsync(), await shop.AddStockAsync()];
        using var meeting = new Barrier(2);
        var deadlocks = 0;
        await using var services = shop.Services(
            async (db, message, _, token) =>
            {
                await db.Database.ExecuteSqlAsync($"""update "Stocks" set "Sold" = "Sold" + 1 where "Id" = {message.Stock}""", token);
                if (db.Database.CurrentTransaction is not null && deadlocks == 0)
                {
                    await Task.Run(() => meeting.SignalAndWait(TimeSpan.FromSeconds(20), token), token);
                }

                await db.Database.ExecuteSqlAsync($"""update "Stocks" set "Sold" = "Sold" + 1 where "Id" = {stocks.Single(s => s != message.Stock)}""", token);
            },
            consumer: o => o.Retry = new() { OnRetry = _ => Interlocked.Increment(ref deadlocks) });
        var results = await Task.WhenAll(stocks.Select(s => ProcessAsync(services, Message("o", stock: s))));
        Assert.All(results, r => Assert.Equal(InboxOutcome.Handled, r.Outcome));
        Assert.Equal(1, deadlocks);
        Assert.Equal(4, await shop.ScalarAsync<long>($"select sum(\"Sold\") from \"Stocks\" where \"Id\" in ({stocks[0]}, {stocks[1]})"));
    }

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit)]
    [InlineData(ConflictRetryTransaction.PerSave)]
    public async Task A_handler_whose_connection_is_killed_runs_again_in_a_new_scope(ConflictRetryTransaction transaction)
    {
        var contexts = new HashSet<ShopContext>();
        await using var services = shop.Services(
            async (db, message, context, token) =>
            {
                await Billing(db, message, context, token);
                if (contexts.Add(db) && contexts.Count == 1)
                {
                    await db.Database.OpenConnectionAsync(token);
                    var process = await db.Database.SqlQuery<int>($"select pg_backend_pid() as \"Value\"").SingleAsync(token);
                    await shop.ExecuteAsync($"select pg_terminate_backend({process}, 5000)");
                }
            },
            consumer: ProcessorTests.With(transaction));
        var message = Message(NewOrder());
        Assert.Equal(new InboxResult(InboxOutcome.Handled), await ProcessAsync(services, message));
        Assert.Equal(2, contexts.Count);
        Assert.Equal((1, 1), (await shop.BillsAsync(message.Key!), await shop.AcceptedAsync(message.MessageId)));
    }

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit, CommitFault.CutAfter, false)]
    [InlineData(ConflictRetryTransaction.PerUnit, CommitFault.CutBefore, false)]
    [InlineData(ConflictRetryTransaction.PerUnit, CommitFault.CutAfter, true)]
    [InlineData(ConflictRetryTransaction.PerSave, CommitFault.CutAfter, false)]
    [InlineData(ConflictRetryTransaction.PerSave, CommitFault.CutBefore, false)]
    [InlineData(ConflictRetryTransaction.PerSave, CommitFault.CutAfter, true)]
    public async Task A_lost_reply_to_the_commit_is_settled(ConflictRetryTransaction transaction, CommitFault fault, bool retriesOnFailure)
    {
        await using var proxy = shop.StartProxy();
        Task? injected = null;
        await using var services = shop.Services(
            (db, message, context, token) =>
            {
                // Without a transaction, the next batch is the one save, and the commit. (The first save of all asks for the guard function before.)
                injected ??= message.Order == "warm" ? null : transaction == ConflictRetryTransaction.PerUnit ? proxy.FaultNextCommit(fault) : proxy.FaultNextBatch(fault);
                return Billing(db, message, context, token);
            },
            proxy.ConnectionString,
            ProcessorTests.With(transaction),
            options: o => o.UseNpgsql(n => _ = retriesOnFailure ? n.EnableRetryOnFailure() : n));
        await ProcessAsync(services, Message("warm"));
        var message = Message(NewOrder());
        Assert.Equal(new InboxResult(InboxOutcome.Handled), await ProcessAsync(services, message));
        Assert.True(injected!.IsCompleted);
        Assert.Equal((1, 1), (await shop.BillsAsync(message.Key!), await shop.AcceptedAsync(message.MessageId)));
    }

    [Fact]
    public async Task Of_5000_deliveries_in_disorder_each_message_has_effects_once()
    {
        var random = new Random(4711);
        var order = NewOrder();
        InboundMessage[] messages = [.. Enumerable.Range(0, 1000).Select(i => Message(order, i % 3 == 0 ? $"evt_{order}_{i}" : null) with { Key = $"{i}" })];
        InboundMessage[] deliveries = [.. messages, .. random.GetItems(messages, 4000)];
        random.Shuffle(deliveries);

        Task FailNowAndThen(ShopContext db, OrderPlaced placed, MessageContext context, CancellationToken token)
        {
            db.Add(new Bill { Order = $"{placed.Order} {context.Key}" });
            return Random.Shared.Next(10) == 0 ? throw new NotSupportedException() : Task.CompletedTask;
        }

        // Two processes, of which one uses the short way.
        await using var one = shop.Services(FailNowAndThen);
        await using var other = shop.Services(FailNowAndThen, consumer: ProcessorTests.With(ConflictRetryTransaction.PerSave));
        var handled = 0;
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 12).Select(worker => Task.Run(
            async () =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < deliveries.Length;)
                {
                    InboxResult result;
                    do
                    {
                        result = worker % 4 == 3 && i % 2 == 0 && i + 3 < deliveries.Length
                            ? await Processor(one).ProcessTogetherAsync(Consumer, deliveries[i..(i + 3)], Token)
                            : await ProcessAsync(worker % 2 == 0 ? one : other, deliveries[i]);
                        Assert.True(result.Error is null or NotSupportedException or InboxDuplicateException, result.Error?.ToString());
                    }
                    while (result.Outcome == InboxOutcome.Failed);
                    _ = result.Outcome == InboxOutcome.Handled ? Interlocked.Increment(ref handled) : 0;
                }
            },
            Token)));

        Assert.InRange(handled, 500, 1000);
        Assert.Equal(1000, await shop.ScalarAsync<long>($"select count(*) from \"Bills\" where \"Order\" like '{order}%'"));
        Assert.Equal(1000, await shop.ScalarAsync<long>($"select count(distinct \"Order\") from \"Bills\" where \"Order\" like '{order}%'"));
    }
}
