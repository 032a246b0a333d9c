using EfConcurrency.Outbox;
using EfConcurrency.RabbitMQ.Tests.Support;

namespace EfConcurrency.RabbitMQ.Tests.Transport;

/// <summary>A message that can't be published is answered by itself; the others of its slice are not its prisoners, but nothing overtakes it within its key.</summary>
public sealed class RefusalTests(Servers servers)
{
    [Fact]
    public async Task An_unroutable_message_is_rejected_and_the_later_ones_of_its_key_are_not_sent()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri);

        var results = await sut.Transport.SendAsync(
            Envelopes.To(queue, key: "a", body: "1"), Envelopes.To("nowhere", key: "a"), Envelopes.To(queue, key: "a", body: "3"), Envelopes.To(queue, key: "b", body: "4"), Envelopes.To(queue, body: "5"));

        Assert.Equal([SendStatus.Ok, SendStatus.Reject, SendStatus.NotSent, SendStatus.Ok, SendStatus.Ok], results.Select(r => r.Status));
        var error = Assert.IsType<RabbitMqPublishException>(results[1].Error);
        Assert.Equal((RabbitMqRefusal.Unroutable, "nowhere"), (error.Refusal, error.Address.RoutingKey));
        Assert.Equal(["1", "4", "5"], (await client.TakeAllAsync(queue)).Select(l => l.Body).Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_full_queue_is_tried_again_from_the_first_refused_message_of_each_key(bool quorum)
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync(q => (q.Quorum, q.MaxLength) = (quorum, 10));
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri);
        var waiting = Enumerable.Range(0, 120).Select(i => Envelopes.To(queue, key: $"key {i % 4}", body: $"{i}")).ToList();
        var arrived = new List<string>();
        var refused = 0;
        while (waiting.Count > 0)
        {
            // The reader makes room while it is written: what is refused now may be taken a moment later.
            var sending = sut.Transport.SendAsync([.. waiting]);
            while (!sending.IsCompleted)
            {
                arrived.AddRange((await client.TakeAllAsync(queue)).Select(l => l.Body));
            }

            var results = await sending;
            Assert.All(results, r => Assert.True(r.Status is SendStatus.Ok or SendStatus.NotSent || r is { Status: SendStatus.Retry, Error: RabbitMqPublishException { Refusal: RabbitMqRefusal.Nacked } }));
            refused += results.Count(r => r.Status == SendStatus.Retry);
            waiting = [.. waiting.Where((_, i) => results[i].Status != SendStatus.Ok)];
        }

        arrived.AddRange((await client.TakeAllAsync(queue)).Select(l => l.Body));
        Assert.True(refused > 0, "The queue was never full.");
        Assert.Equal(120, arrived.Count);
        Assert.All(arrived.Select(int.Parse).GroupBy(i => i % 4), key => Assert.Equal(key.Order(), key));
    }

    [Fact]
    public async Task What_does_not_fit_is_rejected_before_it_is_sent()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o => o.MaxMessageBytes = 1000);
        var longText = new string('x', 300);

        var results = await sut.Transport.SendAsync(
            Envelopes.To(queue, body: new('x', 1001)),
            Envelopes.To(queue, headers: new Dictionary<string, string> { ["h"] = new('x', 140_000) }),
            Envelopes.To(longText),
            Envelopes.To(queue, type: longText),
            Envelopes.To(queue, headers: new Dictionary<string, string> { [longText] = "" }),
            Envelopes.To(queue, body: new('x', 1000)));

        Assert.Equal(
            [RabbitMqRefusal.TooLarge, RabbitMqRefusal.TooLarge, RabbitMqRefusal.Inexpressible, RabbitMqRefusal.Inexpressible, RabbitMqRefusal.Inexpressible],
            results[..5].Select(r => Assert.IsType<RabbitMqPublishException>(r.Error).Refusal));
        Assert.All(results[..5], r => Assert.Equal(SendStatus.Reject, r.Status));
        Assert.Equal(SendStatus.Ok, results[5].Status);
    }

    [Fact]
    public async Task A_message_over_which_the_broker_closes_the_channel_is_found_and_the_others_are_sent()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o => o.Route = e => e.Topic == "lost" ? new("no such exchange", "x") : new("", e.Topic));

        var results = await sut.Transport.SendAsync(
            Envelopes.To(queue, body: "1"), Envelopes.To("lost", key: "a"), Envelopes.To(queue, key: "a", body: "3"), Envelopes.To(queue, body: new string('x', 3_000_000)), Envelopes.To(queue, key: "b", body: "5"));

        Assert.Equal([SendStatus.Ok, SendStatus.Retry, SendStatus.NotSent, SendStatus.Reject, SendStatus.Ok], results.Select(r => r.Status));
        Assert.Contains("no such exchange", results[1].Error!.Message, StringComparison.Ordinal);
        Assert.Equal(RabbitMqRefusal.TooLarge, Assert.IsType<RabbitMqPublishException>(results[3].Error).Refusal);
        Assert.Equal(["1", "5"], (await client.TakeAllAsync(queue)).Select(l => l.Body).Distinct().Order());
    }

    /// <summary>Messages that the client writes after the broker has closed the channel are to the broker an error of the whole connection (504).</summary>
    [Fact]
    public async Task A_message_over_which_the_broker_closes_the_channel_is_found_among_many_that_are_on_their_way()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o => o.Route = e => e.Topic == "lost" ? new("no such exchange", "x") : new("", e.Topic));

        var large = new string('x', 1_500_000);
        for (var round = 0; round < 40; round++)
        {
            var results = await sut.Transport.SendAsync([Envelopes.To("lost"), Envelopes.To(queue, body: large), Envelopes.To(queue, body: large), Envelopes.To(queue, body: large)]);

            Assert.Equal(0, Assert.Single(results.Index(), r => r.Item.Status != SendStatus.Ok).Index);
        }
    }

    [Fact]
    public async Task A_route_that_throws_rejects_its_message()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var sut = TransportUnderTest.Create(servers.Broker.Uri, o => o.Route = e => e.Key == "bad" ? throw new KeyNotFoundException("no tenant") : new("", e.Topic));

        var results = await sut.Transport.SendAsync(Envelopes.To(queue, key: "bad"), Envelopes.To(queue));

        Assert.Equal([SendStatus.Reject, SendStatus.Ok], results.Select(r => r.Status));
        Assert.IsType<KeyNotFoundException>(results[0].Error!.InnerException);
    }
}
