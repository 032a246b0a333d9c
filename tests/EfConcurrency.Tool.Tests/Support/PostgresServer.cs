using EfConcurrency.Testing;
using EfConcurrency.Tool.Tests.Support;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace EfConcurrency.Tool.Tests.Support;

/// <summary>One server for the whole run. Its settings are safe ones, or doctor would complain about them in every test.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    public LocalPostgres Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
        => Server = await LocalPostgres.StartAsync(new() { Durable = true, Settings = new Dictionary<string, string> { ["max_prepared_transactions"] = "5" } });

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
