using EfConcurrency.Messaging;
using EfConcurrency.Outbox;
using EfConcurrency.RabbitMQ.Tests.Support;

namespace EfConcurrency.RabbitMQ.Tests.Transport;

/// <summary>What is confirmed is there, as it was sent.</summary>
public sealed class PublishTests(Servers servers)
{
    [Fact]
    public async Task A_message_arrives_with_all_that_belongs_to_it()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri);
        var headers = new Dictionary<string, string> { ["ce-source"] = "/shop", [MessageHeaders.TraceParent] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", [MessageHeaders.ContentType] = "application/json" };
        var message = Envelopes.To(queue, key: "order 7 ü", body: """{"x":1}""", headers: headers);

        var result = await sut.Transport.SendAsync(message);

        Assert.Equal([SendResult.Ok], result);
        var letter = Assert.Single(await client.TakeAllAsync(queue));
        Assert.Equal((message.MessageId.ToString(), message.Type, """{"x":1}""", true, "application/json"), (letter.Id, letter.Type, letter.Body, letter.IsPersistent, letter.ContentType));
        Assert.Equal("order 7 ü", letter.Headers[RabbitMqHeaders.Key]);
        Assert.Equal("/shop", letter.Headers["ce-source"]);
        Assert.Equal(headers[MessageHeaders.TraceParent], letter.Headers[MessageHeaders.TraceParent]);
    }

    [Fact]
    public async Task A_slice_arrives_in_its_order()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o => o.MaxOutstandingConfirms = 50);
        var slice = Enumerable.Range(0, 600).Select(i => Envelopes.To(queue, key: i % 3 == 0 ? null : $"key {i}", body: $"{i}")).ToArray();

        var results = await sut.Transport.SendAsync(slice);

        Assert.All(results, r => Assert.Equal(SendStatus.Ok, r.Status));
        Assert.Equal(Enumerable.Range(0, 600).Select(i => $"{i}"), (await client.TakeAllAsync(queue)).Select(l => l.Body));
    }

    [Fact]
    public async Task No_more_messages_wait_for_confirmations_than_allowed()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var wire = TcpCutter.Start(servers.Broker.Uri);
        await using var sut = TransportUnderTest.Create(wire.Uri, o => o.MaxOutstandingConfirms = 4);
        await sut.Transport.SendAsync(Envelopes.To(queue));
        wire.HoldAnswers();

        var sending = sut.Transport.SendAsync([.. Enumerable.Range(0, 20).Select(_ => Envelopes.To(queue))]);

        await client.UntilCountIsAsync(queue, 1 + 4);
        wire.ReleaseAnswers();
        Assert.All(await Eventually.ComesAsync(sending), r => Assert.Equal(SendStatus.Ok, r.Status));
        await client.UntilCountIsAsync(queue, 1 + 20);
    }

    [Fact]
    public async Task Of_one_key_the_next_waits_for_the_confirmation_of_the_one_before()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var wire = TcpCutter.Start(servers.Broker.Uri);
        await using var sut = TransportUnderTest.Create(wire.Uri);
        await sut.Transport.SendAsync(Envelopes.To(queue));
        wire.HoldAnswers();

        var sending = sut.Transport.SendAsync(Envelopes.To(queue, key: "a"), Envelopes.To(queue, key: "a"), Envelopes.To(queue, key: "b"), Envelopes.To(queue, key: "a"), Envelopes.To(queue));

        await client.UntilCountIsAsync(queue, 1 + 3);
        wire.ReleaseAnswers();
        Assert.All(await Eventually.ComesAsync(sending), r => Assert.Equal(SendStatus.Ok, r.Status));
        await client.UntilCountIsAsync(queue, 1 + 5);
    }

    [Fact]
    public async Task Lanes_are_sent_at_the_same_time()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o => o.MaxChannels = 3);

        var lanes = await Task.WhenAll(Enumerable.Range(0, 16).Select(lane => sut.Transport.SendAsync([.. Enumerable.Range(0, 30).Select(i => Envelopes.To(queue, key: $"{lane}", body: $"{i}"))])));

        Assert.All(lanes.SelectMany(r => r), r => Assert.Equal(SendStatus.Ok, r.Status));
        var byKey = (await client.TakeAllAsync(queue)).GroupBy(l => l.Headers[RabbitMqHeaders.Key]).ToList();
        Assert.Equal(16, byKey.Count);
        Assert.All(byKey, k => Assert.Equal(Enumerable.Range(0, 30).Select(i => $"{i}"), k.Select(l => l.Body)));
    }

    [Fact]
    public async Task The_topology_is_declared()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var (exchange, queue) = (BrokerClient.NewName("exchange"), BrokerClient.NewName("queue"));
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o =>
        {
            o.Exchange = exchange;
            o.Topology.Exchange(exchange).Queue(queue, q => q.SingleActiveConsumer = false).Bind(queue, exchange, "order.*");
        });

        var results = await sut.Transport.SendAsync(Envelopes.To("order.placed"), Envelopes.To("invoice.sent"));

        Assert.Equal([SendStatus.Ok, SendStatus.Reject], results.Select(r => r.Status));
        Assert.Single(await client.TakeAllAsync(queue));
    }
}
