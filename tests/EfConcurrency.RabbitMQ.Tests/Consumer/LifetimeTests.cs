using EfConcurrency.RabbitMQ.Tests.Support;

namespace EfConcurrency.RabbitMQ.Tests.Consumer;

/// <summary>A delivery is acknowledged when its effects are committed, and not before: whatever ends the consumer, the broker delivers again what was not done.</summary>
public sealed class LifetimeTests(Servers servers, NotesDatabase database) : IClassFixture<NotesDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly string _run = Guid.NewGuid().ToString("n")[..8] + " ";

    [Fact]
    public async Task No_more_is_fetched_than_allowed_and_no_more_is_run_at_a_time()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        var script = new Script();
        var gates = Enumerable.Range(0, 10).Select(i => script.Close($"{_run}{i}")).ToList();
        for (var i = 0; i < 10; i++)
        {
            await SendAsync(client, queue, $"{i}");
        }

        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script, o => (o.Prefetch, o.Concurrency) = (4, 2));

        await client.UntilCountIsAsync(queue, 6);
        await Eventually.IsTrueAsync(() => script.Begun.Count == 2);
        gates[0].SetResult();
        await client.UntilCountIsAsync(queue, 5);
        await Eventually.IsTrueAsync(() => script.Begun.Count == 3);
        gates.ForEach(g => g.TrySetResult());
        await database.UntilNotedAsync(_run, 10);
    }

    [Fact]
    public async Task A_stop_waits_for_what_runs_and_gives_back_what_does_not()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        var script = new Script();
        var gate = script.Close(_run + "1");
        await SendAsync(client, queue, "1", key: "a");
        await SendAsync(client, queue, "2", key: "a");
        await SendAsync(client, queue, "3", key: "a");
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script);
        await script.UntilBegunAsync(_run + "1");

        var stopping = consumer.StopInTimeAsync();
        await Eventually.IsTrueAsync(async () => (await client.Channel.QueueDeclarePassiveAsync(queue, Token)).ConsumerCount == 0);
        Assert.False(stopping.IsCompleted);
        gate.SetResult();
        await Eventually.ComesAsync(stopping);

        Assert.Equal([_run + "1"], (await database.NotesAsync(_run)).Select(n => n.Text));
        await client.UntilCountIsAsync(queue, 2);
    }

    [Fact]
    public async Task A_stop_that_can_wait_no_longer_gives_back_what_runs()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        var script = new Script();
        script.Close(_run + "1");
        await SendAsync(client, queue, "1");
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script);
        await script.UntilBegunAsync(_run + "1");

        using var deadline = new CancellationTokenSource();
        var stopping = consumer.StopAsync(deadline.Token);
        await deadline.CancelAsync();
        await Eventually.ComesAsync(stopping);

        await client.UntilCountIsAsync(queue, 1);
        Assert.Empty(await database.NotesAsync(_run));
    }

    [Fact]
    public async Task A_cut_wire_while_a_handler_runs_has_no_second_effect()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var wire = TcpCutter.Start(servers.Broker.Uri);
        var script = new Script();
        var gate = script.Close(_run + "1");
        await SendAsync(client, queue, "1", key: "a");
        await SendAsync(client, queue, "2", key: "a");
        await using var consumer = await ConsumerUnderTest.StartAsync(database, wire.Uri, queue, script);
        await script.UntilBegunAsync(_run + "1");

        wire.Cut();

        await script.UntilBegunAsync(_run + "1", times: 2);
        gate.SetResult();
        await database.UntilNotedAsync(_run, 2);
        await client.UntilCountIsAsync(queue, 0);
        Assert.Equal([_run + "1", _run + "2"], (await database.NotesAsync(_run)).Select(n => n.Text));
        Assert.Contains(consumer.Status, s => s is { Name: "consumer notes", IsConnected: true });
    }

    [Fact]
    public async Task An_acknowledgement_that_is_lost_on_the_way_has_no_second_effect()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await using var wire = TcpCutter.Start(servers.Broker.Uri);
        await using var consumer = await ConsumerUnderTest.StartAsync(database, wire.Uri, queue);
        await Eventually.IsTrueAsync(async () => (await client.Channel.QueueDeclarePassiveAsync(queue, Token)).ConsumerCount == 1);
        wire.HoldRequests();
        await SendAsync(client, queue, "1");
        await database.UntilNotedAsync(_run, 1);

        wire.Cut();
        wire.ReleaseRequests();

        await Eventually.IsTrueAsync(() => wire.Accepted >= 2);
        await Eventually.IsTrueAsync(async () => await client.CountAsync(queue) == 0 && (await client.Channel.QueueDeclarePassiveAsync(queue, Token)).ConsumerCount == 1);
        await SendAsync(client, queue, "2");
        await database.UntilNotedAsync(_run, 2);
        Assert.Equal([_run + "1", _run + "2"], (await database.NotesAsync(_run)).Select(n => n.Text));
    }

    [Fact]
    public async Task A_queue_that_comes_later_or_goes_and_comes_back_is_received_from()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = BrokerClient.NewName("queue");
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue);
        await client.UntilCountIsAsync(queue + ".dead", 0);
        await client.DeclareQueueAsync(queue);
        await SendAsync(client, queue, "1");
        await database.UntilNotedAsync(_run, 1);

        await client.Channel.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: false, cancellationToken: Token);
        await client.DeclareQueueAsync(queue);
        await SendAsync(client, queue, "2");
        await database.UntilNotedAsync(_run, 2);
    }

    [Fact]
    public async Task Of_two_processes_one_is_active_and_the_other_goes_on_in_order()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync(q => (q.Quorum, q.SingleActiveConsumer) = (true, true));
        var (first, second) = (new Script(), new Script());
        var gate = first.Close(_run + "2");
        for (var i = 1; i <= 4; i++)
        {
            await SendAsync(client, queue, $"{i}", key: "a");
        }

        await using var active = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, first);
        await first.UntilBegunAsync(_run + "2");
        await using var passive = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, second);
        await Eventually.IsTrueAsync(() => passive.Status.Single().IsConnected);
        Assert.Empty(second.Begun);

        var stopping = active.StopInTimeAsync();
        gate.SetResult();
        await Eventually.ComesAsync(stopping);

        await database.UntilNotedAsync(_run, 4);
        Assert.Equal(["1", "2", "3", "4"], (await database.NotesAsync(_run)).Select(n => n.Text[_run.Length..]));
        Assert.Equal(["3", "4"], second.Begun.Select(t => t[_run.Length..]));
    }

    private Task SendAsync(BrokerClient client, string queue, string text, string? key = null)
        => client.SendAsync(queue, Guid.CreateVersion7().ToString(), "note.added.v1", key, $$"""{"text":"{{_run + text}}"}""");
}
