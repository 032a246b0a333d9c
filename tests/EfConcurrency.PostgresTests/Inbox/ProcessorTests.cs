using System.Text;
using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using EfConcurrency.Versioning;
using Microsoft.EntityFrameworkCore;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>A delivered message and what becomes of it.</summary>
public sealed class ProcessorTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<ConflictRetryTransaction, bool> Modes => new([ConflictRetryTransaction.PerUnit, ConflictRetryTransaction.PerSave], [false, true]);

    public static Action<MessageConsumerOptions> With(ConflictRetryTransaction transaction) => o => o.Retry = new() { Transaction = transaction };

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit, null)]
    [InlineData(ConflictRetryTransaction.PerUnit, "evt_1NG8Du2eZvKYlo2CUI79vXWy")]
    [InlineData(ConflictRetryTransaction.PerSave, null)]
    [InlineData(ConflictRetryTransaction.PerSave, "evt_2NG8Du2eZvKYlo2CUI79vXWy")]
    public async Task A_message_is_handled_once_however_often_it_comes(ConflictRetryTransaction transaction, string? id)
    {
        await using var services = shop.Services(Billing, consumer: With(transaction));
        var order = NewOrder();
        var message = Message(order, id);

        Assert.Equal(new InboxResult(InboxOutcome.Handled), await ProcessAsync(services, message));
        Assert.Equal(new InboxResult(InboxOutcome.Duplicate), await ProcessAsync(services, message));
        Assert.Equal(1, await shop.BillsAsync(order));
        Assert.Equal(1, await shop.AcceptedAsync(message.MessageId));
    }

    [Fact]
    public async Task A_handler_is_told_what_came_with_the_message()
    {
        MessageContext? told = null;
        await using var services = shop.Services((_, message, context, _) =>
        {
            Assert.Equal("o", message.Order);
            told = context;
            return Task.CompletedTask;
        });
        var message = Message("o") with { Headers = new Dictionary<string, string> { ["tenant"] = "7" }, Attempt = 3 };
        Assert.Equal(InboxOutcome.Handled, (await ProcessAsync(services, message)).Outcome);
        Assert.Equal(new MessageContext(Consumer, message.MessageId, "order.placed.v1", "o", message.Headers, 3), told);
        Assert.Equal(1, await shop.AcceptedAsync(message.MessageId)); // also when it changed nothing
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_handler_that_throws_leaves_nothing(ConflictRetryTransaction transaction, bool hasSaved)
    {
        var fails = true;
        await using var services = shop.Services(
            async (db, message, _, token) =>
            {
                db.Add(new Bill { Order = message.Order });
                await (hasSaved && transaction == ConflictRetryTransaction.PerUnit ? db.SaveChangesAsync(token) : Task.CompletedTask);
                if (fails)
                {
                    throw new NotSupportedException("boom");
                }
            },
            consumer: With(transaction));
        var order = NewOrder();
        var message = Message(order);

        var failed = await ProcessAsync(services, message);
        Assert.Equal((InboxOutcome.Failed, "boom"), (failed.Outcome, Assert.IsType<NotSupportedException>(failed.Error).Message));
        Assert.Equal((0, 0), (await shop.BillsAsync(order), await shop.AcceptedAsync(message.MessageId)));
        fails = false;
        Assert.Equal(InboxOutcome.Handled, (await ProcessAsync(services, message)).Outcome);
        Assert.Equal((1, 1), (await shop.BillsAsync(order), await shop.AcceptedAsync(message.MessageId)));
    }

    [Fact]
    public async Task What_can_never_succeed_is_rejected()
    {
        await using var services = shop.Services((_, message, _, _) => throw new MessageRejectedException($"no order {message.Order}"));
        async Task<Exception> RejectedAsync(InboundMessage message, string consumer = Consumer)
        {
            var result = await ProcessAsync(services, message, consumer);
            Assert.Equal(InboxOutcome.Rejected, result.Outcome);
            Assert.Equal(0, message.MessageId is [] or ['a', '\0', ..] ? 0 : await shop.AcceptedAsync(message.MessageId));
            return result.Error!;
        }

        var message = Message("o");
        Assert.Equal("no order o", Assert.IsType<MessageRejectedException>(await RejectedAsync(message)).Message);
        Assert.Equal(("nobody", null), Facts(await RejectedAsync(message, "nobody")));
        Assert.Equal((Consumer, "order.unknown.v1"), Facts(await RejectedAsync(message with { Type = "order.unknown.v1" })));
        Assert.Equal((Consumer, "order.archived.v1"), Facts(await RejectedAsync(message with { Type = "order.archived.v1" })));
        foreach (var payload in (string[])["", "not json", "null", "{\"order\":", "[]"])
        {
            var unreadable = Assert.IsType<MessageUnreadableException>(await RejectedAsync(message with { Payload = Encoding.UTF8.GetBytes(payload) }));
            Assert.Equal((message.MessageId, "order.placed.v1"), (unreadable.MessageId, unreadable.Type));
        }

        var old = Message("o", Guid.CreateVersion7(DateTimeOffset.UtcNow.AddDays(-8)).ToString());
        Assert.False(Assert.IsType<InboxMessageOutsideWindowException>(await RejectedAsync(old)).IsFromFuture);
        foreach (var id in (string[])["", "a\0b", new('i', 501)])
        {
            Assert.Contains("id", Assert.IsType<MessageRejectedException>(await RejectedAsync(message with { MessageId = id })).Message, StringComparison.Ordinal);
        }

        static (string, string?) Facts(Exception error)
        {
            var missing = Assert.IsType<MessageHandlerNotFoundException>(error);
            return (missing.Consumer, missing.Type);
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Cancellation_by_the_caller_changes_nothing_and_is_no_outcome(ConflictRetryTransaction transaction, bool isCallers)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var services = shop.Services(
            (db, message, _, token) =>
            {
                db.Add(new Bill { Order = message.Order });
                cancellation.Cancel();
                token.ThrowIfCancellationRequested();

                // A time limit of the handler's own, say: it has not handled the message.
                throw new TaskCanceledException();
            },
            consumer: With(transaction));
        var message = Message(NewOrder());
        var inbox = Processor(services);
        if (isCallers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inbox.ProcessAsync(Consumer, message, cancellation.Token));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inbox.ProcessTogetherAsync(Consumer, [message], cancellation.Token));
        }
        else
        {
            Assert.Equal(InboxOutcome.Failed, (await inbox.ProcessAsync(Consumer, message, Token)).Outcome);
        }

        Assert.Equal((0, 0), (await shop.BillsAsync(message.Key!), await shop.AcceptedAsync(message.MessageId)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_error_that_the_handler_swallows_is_not_reported_as_handled(bool isSave)
    {
        await using var services = shop.Services(async (db, message, _, token) =>
        {
            db.Add(new Bill { Order = message.Order });
            try
            {
                if (isSave)
                {
                    db.Add(new Bill { Order = "a\0b" });
                    await db.SaveChangesAsync(token);
                }
                else
                {
                    await db.SaveChangesAsync(token);
                    await db.Database.ExecuteSqlRawAsync("select 1 / 0", token);
                }
            }
            catch (Exception)
            {
                db.ChangeTracker.Clear();
            }
        });
        var message = Message(NewOrder());
        var result = await ProcessAsync(services, message);
        Assert.Equal(InboxOutcome.Failed, result.Outcome);
        Assert.Contains(isSave ? "0x00" : "division by zero", result.Error!.ToString(), StringComparison.Ordinal);
        Assert.Equal((0, 0), (await shop.BillsAsync(message.Key!), await shop.AcceptedAsync(message.MessageId)));
    }

    [Fact]
    public async Task A_handler_that_ends_the_transaction_itself_is_told()
    {
        await using var services = shop.Services((db, _, _, token) => db.Database.RollbackTransactionAsync(token));
        var result = await ProcessAsync(services, Message("o"));
        Assert.Equal(InboxOutcome.Failed, result.Outcome);
        Assert.IsType<RetryNotPossibleException>(result.Error);
    }

    [Fact]
    public async Task What_follows_the_commit_may_fail_and_the_message_is_handled_all_the_same()
    {
        await using var services = shop.Services((db, _, _, _) =>
        {
            db.AfterCommit(_ => throw new NotSupportedException());
            return Task.CompletedTask;
        });
        var message = Message("o");
        var result = await ProcessAsync(services, message);
        Assert.Equal(InboxOutcome.Handled, result.Outcome);
        Assert.IsType<AfterCommitException>(result.Error);
        Assert.Equal(InboxOutcome.Duplicate, (await ProcessAsync(services, message)).Outcome);
    }

    [Fact]
    public async Task Several_messages_are_one_transaction()
    {
        var order = NewOrder();
        await using var services = shop.Services(Billing);
        InboundMessage[] messages = [.. Enumerable.Range(0, 5).Select(_ => Message(order))];
        await ProcessAsync(services, messages[1]);

        Assert.Equal(InboxOutcome.Handled, (await Processor(services).ProcessTogetherAsync(Consumer, [.. messages, messages[0]], Token)).Outcome);
        Assert.Equal(5, await shop.BillsAsync(order));
        Assert.Equal(2, await shop.ScalarAsync<long>($"select count(distinct xmin::text) from \"Bills\" where \"Order\" = '{order}'"));
        Assert.Equal(InboxOutcome.Duplicate, (await Processor(services).ProcessTogetherAsync(Consumer, messages, Token)).Outcome);
        Assert.Equal(InboxOutcome.Duplicate, (await Processor(services).ProcessTogetherAsync(Consumer, [], Token)).Outcome);
    }

    [Theory]
    [InlineData(ConflictRetryTransaction.PerUnit)]
    [InlineData(ConflictRetryTransaction.PerSave)]
    public async Task Of_several_messages_none_is_handled_when_one_fails(ConflictRetryTransaction transaction)
    {
        var order = NewOrder();
        var count = 0;
        await using var services = shop.Services(
            (db, message, context, token) => ++count == 3 ? throw new NotSupportedException() : Billing(db, message, context, token),
            consumer: With(transaction));
        InboundMessage[] messages = [.. Enumerable.Range(0, 4).Select(_ => Message(order))];

        Assert.Equal(InboxOutcome.Failed, (await Processor(services).ProcessTogetherAsync(Consumer, messages, Token)).Outcome);
        Assert.Equal(0, await shop.BillsAsync(order));
        Assert.Equal(InboxOutcome.Rejected, (await Processor(services).ProcessTogetherAsync(Consumer, [messages[0], messages[1] with { Type = "?" }], Token)).Outcome);
        Assert.Equal(0, await shop.AcceptedAsync(messages[0].MessageId));
        Assert.Equal(InboxOutcome.Handled, (await Processor(services).ProcessTogetherAsync(Consumer, messages, Token)).Outcome);
        Assert.Equal(4, await shop.BillsAsync(order));
    }
}
