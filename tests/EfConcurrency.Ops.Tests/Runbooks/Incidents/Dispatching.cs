using EfConcurrency.Outbox;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.Ops.Tests.Runbooks.Incidents;

/// <summary>A dispatcher with one transport, as an application would run it.</summary>
internal sealed class Dispatching : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private Dispatching(ServiceProvider services) => _services = services;

    public static async Task<Dispatching> StartAsync(string connectionString, IOutboxTransport transport, Action<OutboxDispatcherOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddDbContext<ShopContext>(o => ShopContext.Configure(o, connectionString));
        services.AddSingleton(transport);
        services.AddOutboxDispatcher<ShopContext>(configure);
        var dispatching = new Dispatching(services.BuildServiceProvider());
        foreach (var service in dispatching._services.GetServices<IHostedService>())
        {
            await service.StartAsync(TestContext.Current.CancellationToken);
        }

        return dispatching;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }
}
