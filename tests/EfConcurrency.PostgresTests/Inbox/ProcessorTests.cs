using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>A delivered message and what becomes of it.</summary>
public sealed class ProcessorTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    [Theory]
    [InlineData(null)]
    [InlineData("evt_1NG8Du2eZvKYlo2CUI79vXWy")]
    public async Task A_message_is_handled_once_however_often_it_comes(string? id)
    {
        await using var services = shop.Services(Billing);
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
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handler_that_throws_leaves_nothing(bool hasSaved)
    {
        var fails = true;
        await using var services = shop.Services(async (db, message, _, token) =>
        {
            db.Add(new Bill { Order = message.Order });
            await (hasSaved ? db.SaveChangesAsync(token) : Task.CompletedTask);
            if (fails)
            {
                throw new NotSupportedException("boom");
            }
        });
        var order = NewOrder();
        var message = Message(order);

        var failed = await ProcessAsync(services, message);
        Assert.Equal((InboxOutcome.Failed, "boom"), (failed.Outcome, Assert.IsType<NotSupportedException>(failed.Error).Message));
        Assert.Equal(0, await shop.BillsAsync(order));
        Assert.Equal(0, await shop.AcceptedAsync(message.MessageId));
        fails = false;
        Assert.Equal(InboxOutcome.Handled, (await ProcessAsync(services, message)).Outcome);
        Assert.Equal(1, await shop.BillsAsync(order));
    }
}
