using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EfConcurrency.Idempotency;

/// <summary>Deletes expired keys now and then, and counts what is stuck. Runs in every process: they leave each other's rows alone.</summary>
internal sealed class IdempotencyCleanup<TContext>(IdempotencyCleanupOptions options, IServiceScopeFactory scopes, ILoggerFactory loggers, TimeProvider time)
    : BackgroundService
    where TContext : DbContext
{
    private readonly ILogger _logger = loggers.CreateLogger(IdempotencyLog.Category);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host starts its services one after the other, and waits for this method's first await.
        await Task.Yield();
        IdempotencyStore? store = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                store ??= await StoreAsync().ConfigureAwait(false);
                await store.DeleteExpiredAsync(stoppingToken).ConfigureAwait(false);
                await CountStuckAsync(store, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A missing table may still come with a migration; what else there is must not end the service.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                IdempotencyLog.CleanupFailed(_logger, options.Interval, failure);
            }

            await Task.Delay(options.Interval * (0.75 + (Random.Shared.NextDouble() / 2)), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<IdempotencyStore> StoreAsync()
    {
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            return scope.ServiceProvider.GetRequiredService<TContext>().Idempotency();
        }
    }

    private async Task CountStuckAsync(IdempotencyStore store, CancellationToken stoppingToken)
    {
        var stuck = await store.CountStuckAsync(options.StuckAfter, stoppingToken).ConfigureAwait(false);
        IdempotencyMeter.SetStuck(typeof(TContext).Name, stuck);
        if (stuck > 0)
        {
            IdempotencyLog.Stuck(_logger, stuck);
        }
    }
}
