using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static EfConcurrency.PostgresTests.Inbox.ShopDatabase;

namespace EfConcurrency.PostgresTests.Inbox;

/// <summary>Messages of the outbox in the hands of this process's handlers.</summary>
public sealed class InProcessTransportTests(ShopDatabase shop) : IClassFixture<ShopDatabase>
{
    private long _id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public async Task Messages_are_handled_in_order_and_a_failed_one_holds_up_its_key_alone(int batchSize)
    {
        var order = NewOrder();
        var handled = new List<string>();
        await using var services = Services(batchSize, (db, message, context, _) =>
        {
            handled.Add(message.Order);
            db.Add(new Bill { Order = $"{order} {message.Order}" });
            return message.Order == "b1" ? throw new NotSupportedException("b1") : message.Order == "c1" ? throw new MessageRejectedException("c1") : Task.CompletedTask;
        });
        OutboxEnvelope[] batch = [.. ((string[])["a1", "b1", "c1", "b2", "a2", "c2", "d1"]).Select(o => Envelope(o, o[..1])), Envelope("no key, b1", null), Envelope("no key", null)];
        batch[4] = batch[4] with { Type = "order.archived.v1" };
        batch[6] = batch[6] with { Type = "order.unknown.v1" };

        var results = await SendAsync(services, batch);

        SendStatus[] expected =
        [
            SendStatus.Ok, SendStatus.Retry, SendStatus.Reject, SendStatus.NotSent, SendStatus.Ok, SendStatus.NotSent, SendStatus.Retry, SendStatus.Ok, SendStatus.Ok,
        ];
        Assert.Equal(expected, results.Select(r => r.Status));
        Assert.Equal("b1", results[1].Error!.Message);
        Assert.Equal(0, await shop.AcceptedAsync(batch[4].MessageId.ToString())); // passed over
        Assert.Equal(["a1", "b1", "c1", "no key, b1", "no key"], handled.TakeLast(5));
        Assert.Equal(3, await shop.ScalarAsync<long>($"select count(*) from \"Bills\" where \"Order\" like '{order}%'"));

        // Sent again, after an acknowledgement that got lost: nothing happens twice.
        Assert.Equal(expected, (await SendAsync(services, batch)).Select(r => r.Status));
        Assert.Equal(3, await shop.ScalarAsync<long>($"select count(*) from \"Bills\" where \"Order\" like '{order}%'"));
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(3, 3)]
    [InlineData(100, 1)]
    public async Task A_batch_is_one_transaction(int batchSize, long transactions)
    {
        var order = NewOrder();
        await using var services = Services(batchSize, Billing);
        Assert.All(await SendAsync(services, [.. Enumerable.Range(0, 7).Select(_ => Envelope(order, "k"))]), r => Assert.Equal(SendResult.Ok, r));
        Assert.Equal(transactions, await shop.ScalarAsync<long>($"select count(distinct xmin::text) from \"Bills\" where \"Order\" = '{order}'"));
    }

    [Fact]
    public async Task Each_consumer_is_a_sink_of_its_own()
    {
        await using var services = Services(1, Billing, s => s
            .AddMessageHandlers<ShopContext>(h => h.Consumer("shipping").Handle<OrderPlaced, Handler>())
            .AddInProcessTransport<ShopContext>("shipping"));
        var order = NewOrder();
        var envelope = Envelope(order, "k");
        var transports = services.GetServices<IOutboxTransport>().ToList();
        Assert.Equal(["handlers:billing", "handlers:shipping"], transports.Select(t => t.Sink));
        foreach (var transport in transports)
        {
            Assert.Equal(SendStatus.Ok, (await SendAsync(transport, [envelope]))[0].Status);
        }

        Assert.Equal(2, await shop.BillsAsync(order));
    }

    [Fact]
    public async Task A_database_that_is_down_is_no_fault_of_the_message_and_what_was_handled_before_counts()
    {
        await using var proxy = shop.StartProxy(b => b.Timeout = 2);
        await using var services = Services(1, async (db, message, context, token) =>
        {
            await Billing(db, message, context, token);
            if (message.Order == "last")
            {
                await proxy.DisposeAsync();
            }
        }, connectionString: proxy.ConnectionString);
        var order = NewOrder();
        var results = new SendResult[3];
        var down = await Assert.ThrowsAsync<InvalidOperationException>(async () => await services.GetRequiredService<IOutboxTransport>().SendAsync(
            new[] { Envelope(order, "k"), Envelope("last", "k"), Envelope(order, "k") }, results, Token));
        Assert.Contains("can't be reached", down.Message, StringComparison.Ordinal);
        Assert.Equal([SendStatus.Ok, SendStatus.NotSent, SendStatus.NotSent], results.Select(r => r.Status));
        Assert.Equal(1, await shop.BillsAsync(order));
    }

    [Fact]
    public async Task A_message_that_always_loses_its_connection_does_not_stop_the_others()
    {
        await using var services = Services(1, async (db, message, context, token) =>
        {
            await Billing(db, message, context, token);
            if (message.Order == "poison")
            {
                await db.Database.ExecuteSqlRawAsync("select pg_terminate_backend(pg_backend_pid())", token);
            }
        });
        var order = NewOrder();
        var results = await SendAsync(services, [Envelope("poison", "p"), Envelope(order, "k")]);
        Assert.Equal([SendStatus.Retry, SendStatus.Ok], results.Select(r => r.Status));
        Assert.Equal(1, await shop.BillsAsync(order));
    }

    [Fact]
    public async Task Cancelled_it_leaves_the_rest_unsent()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var services = Services(1, async (db, message, context, token) =>
        {
            await Billing(db, message, context, token);
            await cancellation.CancelAsync();
            token.ThrowIfCancellationRequested();
        });
        var results = new SendResult[2];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await services.GetRequiredService<IOutboxTransport>().SendAsync(
            new[] { Envelope("x", "k"), Envelope("x", "k") }, results, cancellation.Token));
        Assert.All(results, r => Assert.Equal(SendStatus.NotSent, r.Status));
    }

    [Fact]
    public void Registrations_that_cannot_work_are_refused()
    {
        var services = new ServiceCollection();
        Assert.Throws<ArgumentException>(() => services.AddInProcessTransport<ShopContext>());
        Assert.Throws<ArgumentException>(() => services.AddInProcessTransport<ShopContext>(new string('c', 92)));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddInProcessTransport<ShopContext>("c", o => o.BatchSize = 0));
        using var provider = services.AddInProcessTransport<ShopContext>("c").BuildServiceProvider();
        Assert.Contains("AddMessageHandlers<ShopContext>", Assert.Throws<EfConcurrency.Inbox.MessageHandlerNotFoundException>(() => provider.GetServices<IOutboxTransport>()).Message, StringComparison.Ordinal);
    }

    private ServiceProvider Services(
        int batchSize, Func<ShopContext, OrderPlaced, MessageContext, CancellationToken, Task> handle, Action<IServiceCollection>? more = null, string? connectionString = null)
        => shop.Services(handle, connectionString, services: s =>
        {
            s.AddInProcessTransport<ShopContext>(Consumer, o => o.BatchSize = batchSize);
            more?.Invoke(s);
        });

    private OutboxEnvelope Envelope(string order, string? key)
        => new(++_id, Guid.CreateVersion7(), key, "order.placed", "order.placed.v1", NoHeaders, Message(order).Payload, DateTimeOffset.UnixEpoch);

    private static Task<SendResult[]> SendAsync(IServiceProvider services, OutboxEnvelope[] batch) => SendAsync(services.GetRequiredService<IOutboxTransport>(), batch);

    private static async Task<SendResult[]> SendAsync(IOutboxTransport transport, OutboxEnvelope[] batch)
    {
        var results = new SendResult[batch.Length];
        await transport.SendAsync(batch, results, Token);
        return results;
    }
}
