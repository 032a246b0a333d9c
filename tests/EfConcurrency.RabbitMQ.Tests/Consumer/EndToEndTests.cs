using EfConcurrency.RabbitMQ.Tests.Support;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.RabbitMQ.Tests.Consumer;

/// <summary>From a save, by outbox, broker and inbox, to the effect: with a broker that is killed twice.</summary>
public sealed class EndToEndTests(NotesDatabase database) : IClassFixture<NotesDatabase>
{
    private const int Keys = 12;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_a_broker_killed_twice_every_committed_message_has_effect_once_in_the_order_of_its_key()
    {
        await using var broker = await LocalRabbitMq.StartAsync(cancellationToken: Token);
        var queue = BrokerClient.NewName("queue");
        await using var process = await ConsumerUnderTest.StartAsync(
            database,
            broker.Uri,
            queue,
            configure: o => o.Topology.Queue(queue, q => q.Quorum = false),
            services: s => s
                .AddRabbitMqTransport(o =>
                {
                    o.Connection.Uri = broker.Uri;
                    o.Connection.MinReconnectDelay = TimeSpan.FromMilliseconds(50);
                    o.Connection.MaxReconnectDelay = TimeSpan.FromMilliseconds(500);
                    o.Route = _ => new("", queue);
                    o.Topology.Queue(queue, q => q.Quorum = false);
                })
                .AddOutboxDispatcher<NotesContext>(o => o.MaxRetryDelay = o.RetryDelay = TimeSpan.FromMilliseconds(100)));

        var committed = new int[Keys];
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(() => WriteAsync(committed, stop.Token), Token);
        for (var kill = 0; kill < 2; kill++)
        {
            var noted = await database.CountAsync("e2e");
            await database.UntilNotedAsync("e2e", noted + 30);
            await broker.KillAsync(Token);
            var before = committed.Sum();
            await Eventually.IsTrueAsync(() => committed.Sum() > before + 15);
            await broker.StartAgainAsync(Token);
        }

        var afterwards = await database.CountAsync("e2e");
        await database.UntilNotedAsync("e2e", afterwards + 30);
        await stop.CancelAsync();
        await writing;
        TestContext.Current.SendDiagnosticMessage("{0} committed, {1} noted", committed.Sum(), await database.CountAsync("e2e"));
        await database.UntilNotedAsync("e2e", committed.Sum());
        await using (var client = await BrokerClient.ConnectAsync(broker))
        {
            await client.UntilCountIsAsync(queue, 0);
            Assert.Equal(0, await client.CountAsync(queue + ".dead"));
        }

        var notes = (await database.NotesAsync("e2e")).ToLookup(n => n.Key);
        for (var key = 0; key < Keys; key++)
        {
            Assert.Equal(Enumerable.Range(1, committed[key]).Select(i => $"e2e {i}"), notes[$"{key}"].Select(n => n.Text));
        }
    }

    private async Task WriteAsync(int[] committed, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            for (var key = 0; key < Keys; key++)
            {
                await using var db = database.Open();
                db.Outbox().Enqueue(new NoteAdded($"e2e {committed[key] + 1}"), key: $"{key}");
                await db.SaveChangesAsync(Token);
                committed[key]++;
            }

            await Task.Delay(200, Token);
        }
    }
}
