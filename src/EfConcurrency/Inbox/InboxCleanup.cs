using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfConcurrency.Inbox;

/// <summary>Empties the inbox round by round, until the process stops.</summary>
internal sealed class InboxCleanup<TContext>(IServiceScopeFactory scopes, InboxCleanupSettings<TContext> settings, ILoggerFactory loggers, TimeProvider time) : BackgroundService
    where TContext : DbContext
{
    /// <summary>A partition in use is tried again before the round that would come anyway.</summary>
    private static readonly TimeSpan SoonAgain = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = loggers.CreateLogger(InboxLog.Category);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host starts its services one after the other, and waits for this method's first await.
        await Task.Yield();
        InboxRetention? retention = null;
        while (settings.Options.IsEnabled && !stoppingToken.IsCancellationRequested)
        {
            var isDone = true;
            try
            {
                retention ??= Retention();
                isDone = await retention.RunAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                InboxLog.CleanupNotPermitted(_logger, error);
            }
            catch (Exception failure)
            {
                // A missing table may still come with a migration; what else there is must not end the service.
                InboxLog.CleanupFailed(_logger, failure);
            }

            // Not all processes at the same moment.
            var pause = isDone || settings.Options.Interval < SoonAgain ? settings.Options.Interval : SoonAgain;
            try
            {
                await Task.Delay(pause * (0.75 + (Random.Shared.NextDouble() / 2)), time, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private InboxRetention Retention()
    {
        using var scope = scopes.CreateScope();
        return InboxRetention.Of(scope.ServiceProvider.GetRequiredService<TContext>(), _logger);
    }
}
