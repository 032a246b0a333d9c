using EfConcurrency.RabbitMQ.Tests.Support;
using EfConcurrency.Testing;

[assembly: AssemblyFixture(typeof(Servers))]

namespace EfConcurrency.RabbitMQ.Tests.Support;

/// <summary>One broker and one database server for the whole run. Tests that kill start their own.</summary>
public sealed class Servers : IAsyncLifetime
{
    public LocalPostgres Postgres { get; private set; } = null!;

    public LocalRabbitMq Broker { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var broker = LocalRabbitMq.StartAsync(new() { Settings = new Dictionary<string, string> { ["max_message_size"] = "2000000" } });
        Postgres = await LocalPostgres.StartAsync();
        Broker = await broker;
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        await Postgres.DisposeAsync();
    }
}
