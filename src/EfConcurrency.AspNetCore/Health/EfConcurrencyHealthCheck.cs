using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EfConcurrency.AspNetCore.Health;

/// <summary>Runs the probes that the model calls for. A probe that fails makes the whole check fail: what it looks at can't be relied on.</summary>
internal sealed class EfConcurrencyHealthCheck<TContext>(IServiceScopeFactory scopes, EfConcurrencyHealthOptions options, TimeProvider time) : IHealthCheck
    where TContext : DbContext
{
    /// <summary>In this order: the first tells the database's time.</summary>
    private static readonly IHealthProbe[] Probes = [new ServerProbe(), new LeaseProbe(), new IdempotencyProbe(), new OutboxProbe()];

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            var db = scope.ServiceProvider.GetRequiredService<TContext>();
            var report = new HealthProbeReport(db, options, time);
            try
            {
                foreach (var probe in Probes.Where(p => p.AppliesTo(db.Model)))
                {
                    await probe.ProbeAsync(report, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                return new(context.Registration.FailureStatus, exception.Message, exception, report.Data);
            }

            return report.ToResult(context.Registration.FailureStatus);
        }
    }
}
