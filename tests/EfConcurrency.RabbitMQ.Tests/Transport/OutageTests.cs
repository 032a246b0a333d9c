using System.Collections.Concurrent;
using EfConcurrency.Outbox;
using EfConcurrency.RabbitMQ.Tests.Support;
using EfConcurrency.Testing;

namespace EfConcurrency.RabbitMQ.Tests.Transport;

/// <summary>A broker that is away, dies, or falls silent: nothing that was confirmed is lost, nothing is said to be confirmed that is not.</summary>
public sealed class OutageTests(Servers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_that_is_away_is_told_at_once_and_asked_again_after_a_pause()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        var wire = TcpCutter.Start(servers.Broker.Uri);
        var address = wire.Uri;
        await wire.DisposeAsync();
        await using var sut = TransportUnderTest.Create(address, o => o.Connection.MinReconnectDelay = o.Connection.MaxReconnectDelay = TimeSpan.FromMinutes(10));
        Assert.Equal((false, null, 0), (sut.Status.IsConnected, sut.Status.LastError, sut.Status.Failures));

        var failure = await Assert.ThrowsAsync<RabbitMqUnavailableException>(() => sut.Transport.SendAsync(Envelopes.To(queue)));
        var early = await Assert.ThrowsAsync<RabbitMqUnavailableException>(() => sut.Transport.SendAsync(Envelopes.To(queue)));

        Assert.InRange(failure.RetryAfter, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(10));
        Assert.Contains("is down", early.Message, StringComparison.Ordinal);
        Assert.Equal((false, 1), (sut.Status.IsConnected, sut.Status.Failures));
        Assert.NotNull(sut.Status.LastError);
    }

    [Fact]
    public async Task A_cut_wire_leaves_messages_unanswered_and_the_next_attempt_connects_again()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var wire = TcpCutter.Start(servers.Broker.Uri);
        await using var sut = TransportUnderTest.Create(wire.Uri);
        await sut.Transport.SendAsync(Envelopes.To(queue));
        wire.HoldAnswers();
        OutboxEnvelope[] slice = [Envelopes.To(queue, key: "a"), Envelopes.To(queue, key: "a"), Envelopes.To(queue)];
        var results = new SendResult[3];
        var sending = sut.Transport.SendAsync(slice, results, Token).AsTask();
        await client.UntilCountIsAsync(queue, 1 + 2);

        wire.Cut();

        await Assert.ThrowsAsync<RabbitMqUnavailableException>(() => Eventually.ComesAsync(sending));
        Assert.All(results, r => Assert.Equal(SendStatus.NotSent, r.Status));
        Assert.False(sut.Status.IsConnected);
        wire.ReleaseAnswers();
        await Eventually.IsTrueAsync(async () => await TrySendAsync(sut.Transport, slice) is [{ Status: SendStatus.Ok }, { Status: SendStatus.Ok }, { Status: SendStatus.Ok }]);
        Assert.True(sut.Status.IsConnected);
    }

    [Fact]
    public async Task A_broker_that_falls_silent_is_given_up()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var wire = TcpCutter.Start(servers.Broker.Uri);
        await using var sut = TransportUnderTest.Create(wire.Uri, o => o.ConfirmTimeout = TimeSpan.FromMilliseconds(300));
        await sut.Transport.SendAsync(Envelopes.To(queue));
        wire.HoldAnswers();

        var failure = await Assert.ThrowsAsync<RabbitMqUnavailableException>(() => sut.Transport.SendAsync(Envelopes.To(queue)));

        Assert.IsType<TimeoutException>(failure.InnerException);
        wire.ReleaseAnswers();
        await Eventually.IsTrueAsync(async () => await TrySendAsync(sut.Transport, [Envelopes.To(queue)]) is [{ Status: SendStatus.Ok }]);
    }

    [Fact]
    public async Task After_a_cancelled_slice_no_message_gets_the_confirmation_of_another()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var wire = TcpCutter.Start(servers.Broker.Uri);
        await using var sut = TransportUnderTest.Create(wire.Uri);
        await sut.Transport.SendAsync(Envelopes.To(queue));
        wire.HoldAnswers();
        using var stop = new CancellationTokenSource();
        var results = new SendResult[3];
        var sending = sut.Transport.SendAsync(new[] { Envelopes.To(queue), Envelopes.To(queue), Envelopes.To(queue) }, results, stop.Token).AsTask();
        await client.UntilCountIsAsync(queue, 1 + 3);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Eventually.ComesAsync(sending));
        Assert.All(results, r => Assert.Equal(SendStatus.NotSent, r.Status));
        wire.ReleaseAnswers();
        Assert.Equal(SendStatus.Reject, Assert.Single(await sut.Transport.SendAsync(Envelopes.To("nowhere"))).Status);
        Assert.Equal(SendStatus.Ok, Assert.Single(await sut.Transport.SendAsync(Envelopes.To(queue))).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_a_broker_killed_twice_every_confirmed_message_arrives_in_the_order_of_its_key(bool quorum)
    {
        const int Lanes = 3, Kills = 2;
        await using var broker = await LocalRabbitMq.StartAsync(cancellationToken: Token);
        var queue = BrokerClient.NewName("queue");
        await using var sut = TransportUnderTest.Create(broker.Uri, o => o.Topology.Queue(queue, q => (q.Quorum, q.SingleActiveConsumer) = (quorum, false)));
        var confirmed = new ConcurrentDictionary<string, int>();
        var outages = 0;
        using var stop = new CancellationTokenSource();
        var lanes = Enumerable.Range(0, Lanes).Select(lane => Task.Run(() => PublishLaneAsync(lane), Token)).ToArray();
        await UntilMoreAreConfirmedAsync(1);
        // A quorum queue is safe on RabbitMQ 3.10's disk some time after it was declared: killed before, the broker takes messages for it and never confirms one.
        await broker.RestartAsync(Token);
        for (var kill = 1; kill <= Kills; kill++)
        {
            await UntilMoreAreConfirmedAsync(150);
            var seen = Volatile.Read(ref outages);
            await broker.KillAsync(Token);
            await Eventually.IsTrueAsync(() => Volatile.Read(ref outages) > seen);
            await broker.StartAgainAsync(Token);
        }

        await UntilMoreAreConfirmedAsync(150);
        await stop.CancelAsync();
        await Task.WhenAll(lanes);

        await using var reader = await BrokerClient.ConnectAsync(broker);
        var arrived = (await reader.TakeAllAsync(queue)).GroupBy(l => l.Headers[RabbitMqHeaders.Key]).ToDictionary(g => g.Key, g => g.Select(l => int.Parse(l.Body)).ToList());
        foreach (var (key, last) in confirmed)
        {
            // A message may come again; but the first time it comes, all before it have come.
            Assert.Equal(Enumerable.Range(1, last), arrived[key].Distinct().Take(last));
        }

        async Task UntilMoreAreConfirmedAsync(int more)
        {
            var before = confirmed.Values.Sum();
            await Eventually.IsTrueAsync(async () =>
            {
                // A lane that has failed would never confirm anything again: say why it did.
                await Task.WhenAll(lanes.Where(l => l.IsFaulted));
                return confirmed.Values.Sum() > before + more;
            });
        }

        async Task PublishLaneAsync(int lane)
        {
            var next = Enumerable.Range(0, 4).ToDictionary(k => $"{lane}/{k}", _ => 1);
            while (!stop.IsCancellationRequested)
            {
                var slice = next.SelectMany(k => Enumerable.Range(k.Value, 5).Select(i => Envelopes.To(queue, k.Key, $"{i}"))).ToArray();
                var results = new SendResult[slice.Length];
                try
                {
                    await sut.Transport.SendAsync(slice, results, Token);
                }
                catch (RabbitMqUnavailableException)
                {
                    Interlocked.Increment(ref outages);
                    await Task.Delay(20, Token);
                }

                foreach (var key in next.Keys.ToList())
                {
                    var taken = slice.Select((m, i) => (m, i)).Where(x => x.m.Key == key).TakeWhile(x => results[x.i].Status == SendStatus.Ok).Count();
                    next[key] += taken;
                    confirmed[key] = next[key] - 1;
                }
            }
        }
    }

    private static async Task<SendResult[]> TrySendAsync(IOutboxTransport transport, OutboxEnvelope[] slice)
    {
        try
        {
            return await transport.SendAsync(slice);
        }
        catch (RabbitMqUnavailableException)
        {
            return [];
        }
    }
}
