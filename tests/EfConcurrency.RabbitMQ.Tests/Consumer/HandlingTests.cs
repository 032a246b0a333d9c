using EfConcurrency.RabbitMQ.Tests.Support;

namespace EfConcurrency.RabbitMQ.Tests.Consumer;

/// <summary>Each message has effect once; of one key in the order of the queue; what fails does not hold up others, and is not lost.</summary>
public sealed class HandlingTests(Servers servers, NotesDatabase database) : IClassFixture<NotesDatabase>
{
    private readonly string _run = Guid.NewGuid().ToString("n")[..8] + " ";

    [Fact]
    public async Task Messages_have_effect_once_in_the_order_of_each_key_although_keys_run_side_by_side()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync(q => q.SingleActiveConsumer = true);
        for (var i = 0; i < 120; i++)
        {
            var id = Guid.CreateVersion7().ToString();
            await SendAsync(client, queue, $"{i}", key: $"key {i % 6}", id);
            if (i % 10 == 0)
            {
                await SendAsync(client, queue, $"{i}", key: $"key {i % 6}", id);
            }
        }

        var script = new Script();
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script);

        await database.UntilNotedAsync(_run, 120);
        await client.UntilCountIsAsync(queue, 0);
        var notes = await database.NotesAsync(_run);
        Assert.Equal(120, notes.Count);
        Assert.All(notes.GroupBy(n => n.Key), key => Assert.Equal(key.Select(Number).Order(), key.Select(Number)));
    }

    [Fact]
    public async Task A_failure_is_tried_again_while_its_key_waits_and_others_go_on()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await SendAsync(client, queue, "a1", key: "a");
        await SendAsync(client, queue, "a2", key: "a");
        await SendAsync(client, queue, "b1", key: "b");
        var healed = false;
        var script = new Script { OnAttempt = (text, _) => { if (text.EndsWith("a1", StringComparison.Ordinal) && !Volatile.Read(ref healed)) { throw new InvalidOperationException("not yet"); } } };
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script, o => o.MaxAttempts = 1000);

        await script.UntilBegunAsync(_run + "a1", times: 3);
        await database.UntilNotedAsync(_run + "b1", 1);
        Assert.DoesNotContain(_run + "a2", script.Begun);
        Volatile.Write(ref healed, true);

        await database.UntilNotedAsync(_run + "a", 2);
        Assert.Equal([_run + "a1", _run + "a2"], (await database.NotesAsync(_run + "a")).Select(n => n.Text));
        await client.UntilCountIsAsync(queue + ".dead", 0);
    }

    [Fact]
    public async Task A_message_that_always_fails_becomes_a_dead_letter_and_its_key_goes_on()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await SendAsync(client, queue, "a1", key: "a");
        await SendAsync(client, queue, "a2", key: "a");
        var script = new Script { OnAttempt = (text, _) => { if (text.EndsWith("a1", StringComparison.Ordinal)) { throw new InvalidOperationException("poison"); } } };
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script, o => o.MaxAttempts = 3);

        await database.UntilNotedAsync(_run + "a2", 1);

        var dead = Assert.Single(await client.TakeAllAsync(queue + ".dead"));
        Assert.Contains("poison", dead.Headers[RabbitMqHeaders.DeadError], StringComparison.Ordinal);
        Assert.Equal(("attempts", "3", "notes", queue), (dead.Headers[RabbitMqHeaders.DeadReason], dead.Headers[RabbitMqHeaders.DeadAttempts], dead.Headers[RabbitMqHeaders.DeadConsumer], dead.Headers[RabbitMqHeaders.DeadQueue]));
        Assert.Equal(("note.added.v1", "a"), (dead.Type, dead.Headers[RabbitMqHeaders.Key]));
        Assert.Equal(3, script.Begun.Count(b => b == _run + "a1"));
        await client.UntilCountIsAsync(queue, 0);
    }

    [Fact]
    public async Task What_can_never_succeed_is_a_dead_letter_at_once()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await client.SendAsync(queue, Guid.CreateVersion7().ToString(), "unknown.v1", null, "{}");
        await client.SendAsync(queue, null, "note.added.v1", null, "{}");
        await client.SendAsync(queue, Guid.CreateVersion7().ToString(), "note.added.v1", null, "no json");
        await SendAsync(client, queue, "good", null);
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue);

        await database.UntilNotedAsync(_run, 1);
        await client.UntilCountIsAsync(queue + ".dead", 3);
        Assert.All(await client.TakeAllAsync(queue + ".dead"), l => Assert.Equal(("rejected", "1"), (l.Headers[RabbitMqHeaders.DeadReason], l.Headers[RabbitMqHeaders.DeadAttempts])));
    }

    [Fact]
    public async Task A_dead_letter_that_finds_no_queue_is_kept_until_it_does()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await client.SendAsync(queue, Guid.CreateVersion7().ToString(), "unknown.v1", "a", "{}");
        await SendAsync(client, queue, "after it", key: "a");
        var grave = BrokerClient.NewName("grave");
        await using (var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, configure: o => o.DeadLetter = new("", grave)))
        {
            await client.UntilCountIsAsync(queue, 0);
            await consumer.StopInTimeAsync();
            await client.UntilCountIsAsync(queue, 2);
        }

        await client.DeclareQueueAsync(grave);
        await using var next = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, configure: o => o.DeadLetter = new("", grave));
        await client.UntilCountIsAsync(grave, 1);
        await database.UntilNotedAsync(_run, 1);
    }

    [Fact]
    public async Task An_outage_of_the_database_makes_no_dead_letters()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync();
        await SendAsync(client, queue, "x", null);
        var failures = 0;
        var script = new Script { OnAttempt = (_, _) => { if (Interlocked.Increment(ref failures) <= 6) { throw new Npgsql.NpgsqlException("down", new System.Net.Sockets.SocketException()); } } };
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script, o => o.MaxAttempts = 2);

        await database.UntilNotedAsync(_run, 1);
        Assert.Equal(0, await client.CountAsync(queue + ".dead"));
    }

    [Fact]
    public async Task A_message_that_was_delivered_too_often_is_a_dead_letter_untried()
    {
        await using var client = await BrokerClient.ConnectAsync(servers.Broker);
        var queue = await client.DeclareQueueAsync(q => q.Quorum = true);
        await SendAsync(client, queue, "killer", null);
        for (var i = 0; i < 3; i++)
        {
            await Eventually.IsTrueAsync(async () =>
            {
                if (await client.Channel.BasicGetAsync(queue, autoAck: false, TestContext.Current.CancellationToken) is not { } got)
                {
                    return false;
                }

                await client.Channel.BasicNackAsync(got.DeliveryTag, multiple: false, requeue: true, TestContext.Current.CancellationToken);
                return true;
            });
        }

        var script = new Script();
        await using var consumer = await ConsumerUnderTest.StartAsync(database, servers.Broker.Uri, queue, script, o => o.MaxDeliveries = 3);

        await client.UntilCountIsAsync(queue + ".dead", 1);
        Assert.Equal("deliveries", Assert.Single(await client.TakeAllAsync(queue + ".dead")).Headers[RabbitMqHeaders.DeadReason]);
        Assert.Empty(script.Begun);
    }

    private int Number(Note note) => int.Parse(note.Text[_run.Length..]);

    private Task SendAsync(BrokerClient client, string queue, string text, string? key, string? id = null)
        => client.SendAsync(queue, id ?? Guid.CreateVersion7().ToString(), "note.added.v1", key, $$"""{"text":"{{_run + text}}"}""");
}
