using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Outbox;

/// <summary>Tells the dispatchers of other processes of what this one enqueues.</summary>
internal sealed class OutboxNotifications<TContext>(IServiceScopeFactory scopes, ILoggerFactory loggers, TimeProvider time) : BackgroundService
    where TContext : DbContext
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            var context = scope.ServiceProvider.GetRequiredService<TContext>();
            var notifier = new OutboxNotifier(OutboxDatabase.Of(context, sinks: 0), new(typeof(TContext), "*", loggers), time);
            await notifier.TellAsync(OutboxSignal.Of(context), stoppingToken).ConfigureAwait(false);
        }
    }
}
