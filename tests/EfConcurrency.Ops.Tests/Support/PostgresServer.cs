using EfConcurrency.Ops.Tests.Support;
using EfConcurrency.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace EfConcurrency.Ops.Tests.Support;

/// <summary>One server for the whole run.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    public LocalPostgres Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await LocalPostgres.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
