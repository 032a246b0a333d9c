using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace EfConcurrency.PostgresTests.Support;

/// <summary>One server for the whole run.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    public LocalPostgres Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await LocalPostgres.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
