using System.Text.Json;
using EfConcurrency.Inbox;
using EfConcurrency.Messaging;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>State with a version, messages and the inbox in one transaction: all that a saga needs.</summary>
public sealed class SagaTests(SagaDatabase sagas) : IClassFixture<SagaDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Steps_of_one_saga_that_run_at_once_are_all_taken_and_duplicates_are_not()
    {
        await using var services = sagas.Services();
        var id = await AddAsync(services);
        InboundMessage[] steps = [.. Enumerable.Range(0, 10).Select(i => Message<object>(i % 2 == 0 ? new PaymentTaken(id) : new ParcelSent(id)))];
        var inbox = services.GetRequiredService<IInboxProcessor<SagaContext>>();
        var results = await Task.WhenAll(steps.Concat(steps).Select(s => Task.Run(() => inbox.ProcessAsync("purchases", s, Token), Token)));

        Assert.Equal(10, results.Count(r => r.Outcome == InboxOutcome.Handled));
        Assert.Equal(10, results.Count(r => r.Outcome == InboxOutcome.Duplicate));
        Assert.Equal(10, await sagas.ScalarAsync<int>($"select \"Steps\" from \"Purchases\" where \"Id\" = '{id}'"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public async Task A_purchase_is_paid_and_sent_or_cancelled_and_every_step_is_taken_once(int batchSize)
    {
        await using var services = sagas.Services(s => s
            .AddInProcessTransport<SagaContext>("payments", o => o.BatchSize = batchSize)
            .AddInProcessTransport<SagaContext>("shipping", o => o.BatchSize = batchSize)
            .AddInProcessTransport<SagaContext>("purchases", o => o.BatchSize = batchSize)
            .AddOutboxDispatcher<SagaContext>());
        var hosted = services.GetServices<IHostedService>().ToList();
        foreach (var service in hosted)
        {
            await service.StartAsync(Token);
        }

        var ids = new List<Guid>();
        for (var i = 0; i < 100; i++)
        {
            ids.Add(await PlaceAsync(services, amount: i));
        }

        var list = string.Join(", ", ids.Select(i => $"'{i}'"));
        await Eventually.IsTrueAsync(async () => await sagas.ScalarAsync<long>($"select count(*) from \"Purchases\" where \"Id\" in ({list}) and \"State\" in (2, 3)") == 100);
        foreach (var service in hosted)
        {
            await service.StopAsync(Token);
        }

        Assert.Equal(9, await sagas.ScalarAsync<long>($"select count(*) from \"Purchases\" where \"Id\" in ({list}) and \"State\" = {(int)PurchaseState.Cancelled} and \"Steps\" = 1"));
        Assert.Equal(91, await sagas.ScalarAsync<long>($"select count(*) from \"Purchases\" where \"Id\" in ({list}) and \"State\" = {(int)PurchaseState.Shipped} and \"Steps\" = 2"));
        foreach (var effect in (string[])["paid", "sent"])
        {
            Assert.Equal(91, await sagas.ScalarAsync<long>($"select count(*) from \"Effects\" where \"Purchase\" in ({list}) and \"Text\" = '{effect}'"));
        }
    }

    [Fact]
    public async Task A_handler_that_fails_leaves_neither_state_nor_message()
    {
        await using var services = sagas.Services(s => s
            .AddMessageHandlers<SagaContext>(h => h.Consumer("failing").Handle<PurchasePlaced, FailsAfterEnqueue>()));
        var id = await AddAsync(services);
        var message = Message(new PurchasePlaced(id, 1));
        var inbox = services.GetRequiredService<IInboxProcessor<SagaContext>>();
        foreach (var attempt in (int[])[1, 2])
        {
            Assert.Equal(InboxOutcome.Failed, (await inbox.ProcessAsync("failing", message with { Attempt = attempt }, Token)).Outcome);
            Assert.Equal(0, await OutboxAsync(id));
        }

        Assert.Equal(InboxOutcome.Handled, (await inbox.ProcessAsync("failing", message with { Attempt = 3 }, Token)).Outcome);
        Assert.Equal(2, await OutboxAsync(id));
        Assert.Equal(InboxOutcome.Duplicate, (await inbox.ProcessAsync("failing", message with { Attempt = 4 }, Token)).Outcome);
        Assert.Equal(2, await OutboxAsync(id));
    }

    private static InboundMessage Message<T>(T message)
        => new(
            Guid.CreateVersion7().ToString(),
            message switch { PurchasePlaced => "purchase.placed.v1", PaymentTaken => "payment.taken.v1", _ => "parcel.sent.v1" },
            null,
            ShopDatabase.NoHeaders,
            JsonSerializer.SerializeToUtf8Bytes(message, JsonSerializerOptions.Web));

    private static Task<Guid> AddAsync(IServiceProvider services) => PlaceAsync(services, amount: null);

    private static async Task<Guid> PlaceAsync(IServiceProvider services, int? amount)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<SagaContext>();
        var purchase = new Purchase { Id = Guid.CreateVersion7(), Amount = amount ?? 0 };
        db.Add(purchase);
        if (amount is { } some)
        {
            db.Outbox().Enqueue(new PurchasePlaced(purchase.Id, some), key: purchase.Id.ToString());
        }

        await db.SaveChangesAsync(Token);
        return purchase.Id;
    }

    private Task<long> OutboxAsync(Guid purchase) => sagas.ScalarAsync<long>($"select count(*) from efc.outbox where key = '{purchase}'");

    public sealed class FailsAfterEnqueue(SagaContext db) : IMessageHandler<PurchasePlaced>
    {
        public async Task HandleAsync(PurchasePlaced message, MessageContext context, CancellationToken cancellationToken)
        {
            db.Outbox().Enqueue(new PaymentTaken(message.Purchase), key: message.Purchase.ToString());
            if (context.Attempt != 1)
            {
                await db.SaveChangesAsync(cancellationToken);
            }

            db.Outbox().Enqueue(new PaymentTaken(message.Purchase), key: message.Purchase.ToString());
            if (context.Attempt < 3)
            {
                throw new NotSupportedException();
            }
        }
    }
}
