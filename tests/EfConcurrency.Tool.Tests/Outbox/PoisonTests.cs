using System.Collections.Concurrent;
using System.Text;
using EfConcurrency.Outbox;
using EfConcurrency.Tool.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.Tool.Tests.Outbox;

/// <summary>A poison message from the alarm to its delivery, with the dispatcher of an application at work.</summary>
public sealed class PoisonTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_that_holds_up_its_key_is_parked_and_replayed_when_its_consumer_is_repaired()
    {
        var transport = new PickyTransport();
        await using var services = Application(transport);
        var dispatcher = Assert.Single(services.GetServices<IHostedService>());
        await dispatcher.StartAsync(Token);
        await using var db = database.Open();
        var poison = db.Outbox().Enqueue(new OrderPlaced("poison"), key: "k");
        db.Outbox().Enqueue(new OrderPlaced("next"), key: "k");
        await db.SaveChangesAsync(Token);

        await UntilAsync(async () => await database.ScalarAsync<long>("select count(*) from efc.outbox_pending where state = 0") == 2 && transport.Refused > 1);
        Assert.Empty(transport.Taken);
        (await Efc.RunAsync(database.ConnectionString, "outbox", "park", $"{poison}", "--reason", "holds up order k", "--yes")).Expect(0);
        await UntilAsync(() => Task.FromResult(transport.Taken.Contains("next")));
        var dead = (await Efc.RunAsync(database.ConnectionString, "outbox", "list", "--dead", "-o", "json")).Expect(0).Json;
        Assert.Equal(poison, Assert.Single(dead.EnumerateArray()).GetProperty("messageId").GetGuid());

        transport.IsRepaired = true;
        (await Efc.RunAsync(database.ConnectionString, "outbox", "replay", $"{poison}", "--reason", "fixed", "--yes")).Expect(0);
        await UntilAsync(() => Task.FromResult(transport.Taken.Contains("poison")));
        await UntilAsync(async () => (await Efc.RunAsync(database.ConnectionString, "outbox", "show", $"{poison}", "-o", "json")).Expect(0).Json.GetProperty("sinks")[0].GetProperty("state").GetString() == "passed");
        await dispatcher.StopAsync(Token);
    }

    private ServiceProvider Application(PickyTransport transport)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddDbContext<ShopContext>(o => o.UseNpgsql(database.ConnectionString).UseEfConcurrency(c => c.UseMessages(m => m.Add<OrderPlaced>("order-placed"))));
        services.AddSingleton<IOutboxTransport>(transport);
        services.AddOutboxDispatcher<ShopContext>(o => (o.MaxAttempts, o.RetryDelay, o.MaxRetryDelay) = (1_000_000, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(50)));
        return services.BuildServiceProvider();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (!await condition())
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    /// <summary>In this process; takes everything but poison.</summary>
    private sealed class PickyTransport : IOutboxTransport
    {
        private int _refused;

        public string Sink => "shop";

        public bool IsRepaired { get; set; }

        public int Refused => Volatile.Read(ref _refused);

        public ConcurrentQueue<string> Taken { get; } = new();

        public ValueTask SendAsync(ReadOnlyMemory<OutboxEnvelope> batch, Memory<SendResult> results, CancellationToken cancellationToken)
        {
            for (var i = 0; i < batch.Length; i++)
            {
                var text = Encoding.UTF8.GetString(batch.Span[i].Payload.Span).Split('"')[3];
                if (text == "poison" && !IsRepaired)
                {
                    Interlocked.Increment(ref _refused);
                    results.Span[i] = new(SendStatus.Retry);
                    return ValueTask.CompletedTask;
                }

                Taken.Enqueue(text);
                results.Span[i] = SendResult.Ok;
            }

            return ValueTask.CompletedTask;
        }
    }
}
