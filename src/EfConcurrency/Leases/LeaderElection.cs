using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.Leases;

/// <summary>
/// Stands for election until the process stops. When it ends, the order is: cancel the body, wait for it while the lease is still renewed,
/// release. A lease that is released while the body runs is two leaders.
/// </summary>
internal sealed class LeaderElection<TContext>(
    string name, Func<Leadership, CancellationToken, Task> body, LeaderElectionOptions options, IServiceScopeFactory scopes, LeadershipReport report, TimeProvider time)
    : BackgroundService, ILeaderElection
    where TContext : DbContext
{
    private volatile Lease? _lease;

    public string Name => name;

    public bool IsLeader => _lease?.IsHeld ?? false;

    public LeadershipChange? Leader { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host starts its services one after the other, and waits for this method's first await.
        await Task.Yield();
        ILeaseManager? leases = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                leases ??= await LeasesAsync().ConfigureAwait(false);
                await StandAsync(leases, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // A missing table may still come with a migration; what else there is must not end the service.
                LeadershipLog.ElectionFailed(report.Logger, name, failure);
            }

            await DelayAsync(options.RetryInterval * (0.75 + (Random.Shared.NextDouble() / 2)), stoppingToken).ConfigureAwait(false);
        }
    }

    private async Task<ILeaseManager> LeasesAsync()
    {
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            return scope.ServiceProvider.GetRequiredService<TContext>().Leases();
        }
    }

    private async Task StandAsync(ILeaseManager leases, CancellationToken stoppingToken)
    {
        var acquisition = await leases.TryAcquireAsync(name, options.Lease, stoppingToken).ConfigureAwait(false);
        if (acquisition.Lease is { } lease)
        {
            await LeadAsync(lease, stoppingToken).ConfigureAwait(false);
        }
        else if (acquisition.Outcome == LeaseOutcome.Held)
        {
            await NoticeAsync(new(name, acquisition.HeldBy, acquisition.HeldUnder, IsThisProcess: false), stoppingToken).ConfigureAwait(false);
        }
        else if (acquisition.Failure is { } failure)
        {
            LeadershipLog.ElectionFailed(report.Logger, name, failure);
        }
    }

    private async Task LeadAsync(Lease lease, CancellationToken stoppingToken)
    {
        var term = new LeadershipChange(name, lease.HolderInfo, lease.FencingToken, IsThisProcess: true);
        await using (lease.ConfigureAwait(false))
        {
            _lease = lease;
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lease.LostToken);
            await report.ElectedAsync(term, over.Token).ConfigureAwait(false);
            await NoticeAsync(term, over.Token).ConfigureAwait(false);
            await RunBodyAsync(lease, over.Token).ConfigureAwait(false);
            _lease = null;
        }

        await report.EndedAsync(term with { Loss = lease.Loss == LeaseLoss.Released && !stoppingToken.IsCancellationRequested ? null : lease.Loss }).ConfigureAwait(false);
    }

    private async Task RunBodyAsync(Lease lease, CancellationToken over)
    {
        var scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            // On a thread of its own: a body that blocks must not keep the process from noticing its end.
            var running = Task.Run(() => body(new Leadership(lease, scope.ServiceProvider), over), CancellationToken.None);
            using var watch = lease.LostToken.Register(() => _ = WatchAsync(running));
            try
            {
                await running.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
            }
            catch (Exception failure)
            {
                LeadershipLog.BodyFailed(report.Logger, name, lease.FencingToken, failure);
            }
        }
    }

    /// <summary>Leadership is lost: the body must end soon.</summary>
    private async Task WatchAsync(Task running)
    {
        var patience = options.FailFastAfter ?? options.Lease.TimeToLive;
        if (await Task.WhenAny(running, Task.Delay(patience, time, CancellationToken.None)).ConfigureAwait(false) == running)
        {
            return;
        }

        LeadershipLog.BodyIgnoresCancellation(report.Logger, name, patience.TotalSeconds);
        if (options.FailFastAfter is not null)
        {
            Environment.FailFast(
                $"The leader election '{name}' was lost {patience.TotalSeconds} s ago and its body still runs although it was cancelled: the process is ended, because another leads (LeaderElectionOptions.FailFastAfter).");
        }
    }

    private async ValueTask NoticeAsync(LeadershipChange term, CancellationToken cancellationToken)
    {
        if (Leader?.FencingToken != term.FencingToken)
        {
            Leader = term;
            await report.NewLeaderAsync(term, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DelayAsync(TimeSpan delay, CancellationToken stoppingToken)
    {
        try
        {
            await Task.Delay(delay, time, stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The loop ends by itself.
        }
    }
}
