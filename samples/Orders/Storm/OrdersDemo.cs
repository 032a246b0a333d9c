using EfConcurrency.Testing;
using Orders.Ordering;

namespace Orders.Storm;

/// <summary>Orders are placed while the broker and the services are killed; then everything must add up.</summary>
internal sealed class OrdersDemo(TextWriter output)
{
    private const int Orders = 1500;
    private const int Clerks = 4;
    private const int Stock = 90;
    private const int Instances = 2;

    private static readonly TimeSpan LongestSettling = TimeSpan.FromSeconds(180);

    private long _startedAt = TimeProvider.System.GetTimestamp();
    private int _placed;

    /// <summary>The exit code: 0 when everything adds up.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("Starting a throwaway PostgreSQL and a throwaway RabbitMQ …");
        await using var server = await LocalPostgres.StartAsync(cancellationToken: cancellationToken);
        await using var broker = await LocalRabbitMq.StartAsync(cancellationToken: cancellationToken);
        await using var databases = await OrdersDatabases.CreateAsync(server, Stock, cancellationToken);
        var services = ServiceProgram.Services.SelectMany(s => Enumerable.Repeat(s, Instances))
            .Select(s => new ServiceProcess(s, databases.ConnectionString(s), broker.Uri, line => output.WriteLine($"      {s}: {line}"))).ToList();
        try
        {
            await Task.WhenAll(services.Select(s => s.StartAsync(cancellationToken)));
            await output.WriteLineAsync($"\n{Orders} orders by {OrdersDatabases.Customers} customers, through {services.Count} processes of {ServiceProgram.Services.Count} services:");
            _startedAt = TimeProvider.System.GetTimestamp();
            await Task.WhenAll(PlaceAsync(databases, cancellationToken), FaultsAsync(broker, services, cancellationToken));
            await SettleAsync(databases, cancellationToken);
            var codes = await Task.WhenAll(services.Select(s => s.StopAsync(cancellationToken)));
            Say($"services stopped by SIGTERM, exit codes {string.Join(", ", codes)}");
            return await CheckAsync(databases, codes.All(c => c == 0), cancellationToken);
        }
        finally
        {
            foreach (var service in services)
            {
                await service.DisposeAsync();
            }
        }
    }

    private async Task PlaceAsync(OrdersDatabases databases, CancellationToken cancellationToken)
    {
        var shop = new Shop(databases.Ordering);
        await Task.WhenAll(Enumerable.Range(0, Clerks).Select(async clerk =>
        {
            var random = new Random(clerk);
            for (var i = clerk; i < Orders; i += Clerks)
            {
                await shop.PlaceAsync(1 + random.Next(OrdersDatabases.Customers), 1 + random.Next(OrdersDatabases.Items), random.Next(10, 70), cancellationToken);
                Interlocked.Increment(ref _placed);
                await Task.Delay(random.Next(60), cancellationToken);
            }
        }));
        Say("all orders are placed");
    }

    private async Task FaultsAsync(LocalRabbitMq broker, List<ServiceProcess> services, CancellationToken cancellationToken)
    {
        for (var round = 0; round < 2; round++)
        {
            await KillAsync(services[round], cancellationToken);
            Say("the broker is killed (SIGKILL) and started again");
            await broker.KillAsync(cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            await broker.StartAgainAsync(cancellationToken);
            Say("the broker is back");
            await KillAsync(services[2 + round], cancellationToken);
            await KillAsync(services[4 + round], cancellationToken);
        }
    }

    private async Task KillAsync(ServiceProcess service, CancellationToken cancellationToken)
    {
        Say($"a process of {service.Service} is killed (SIGKILL) and started again");
        await service.KillAndStartAgainAsync(cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
    }

    private async Task SettleAsync(OrdersDatabases databases, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (await OrdersCheck.UnsettledAsync(databases, cancellationToken) is > 0 and var unsettled)
        {
            if (TimeProvider.System.GetElapsedTime(since) > LongestSettling)
            {
                Say($"{unsettled} orders are not settled after {LongestSettling.TotalSeconds:0} s");
                return;
            }

            await Task.Delay(200, cancellationToken);
        }

        Say("all orders are settled");
    }

    private async Task<int> CheckAsync(OrdersDatabases databases, bool haveStopped, CancellationToken cancellationToken)
    {
        var check = await OrdersCheck.ReadAsync(databases, _placed, Stock, cancellationToken);
        await output.WriteLineAsync();
        await output.WriteLineAsync(check.ToString());
        await output.WriteLineAsync(
            check.IsOk && haveStopped ? "check ok: every order came to its end, with every effect once and in order"
            : haveStopped ? "check FAILED" : "check FAILED: a service did not stop cleanly");
        return check.IsOk && haveStopped ? 0 : 1;
    }

    private void Say(string what) => output.WriteLine($"{TimeProvider.System.GetElapsedTime(_startedAt).TotalSeconds,6:0.0} s  {what}");
}
