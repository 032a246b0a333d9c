using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.Inbox;

/// <summary>Refuses to start a process whose handlers could never be reached.</summary>
internal sealed class MessageHandlersCheck<TContext>(HandlerCatalog<TContext> catalog) : IHostedService
    where TContext : DbContext
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        catalog.Check();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
