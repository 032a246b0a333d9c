using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers leader elections.</summary>
public static class LeaderElectionServiceCollectionExtensions
{
    /// <summary>
    /// Runs <paramref name="body"/> in one process at a time, of all that share the database. It is cancelled when leadership is lost or the
    /// process stops; when it ends by itself, or fails, the process steps down and stands again. Two bodies can overlap for a moment (a pause
    /// of the process): what it writes belongs under <c>db.UseLease(leadership.Lease)</c>, where the database refuses the former leader.
    /// </summary>
    /// <typeparam name="TContext">A registered context whose model has <c>HasLeases()</c>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="name">Name of the election, 1 to 200 characters; the same in all processes.</param>
    /// <param name="body">What the leader does, until its token is cancelled.</param>
    /// <param name="configure">Changes the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long, or was registered before.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IServiceCollection AddLeaderElection<TContext>(
        this IServiceCollection services, string name, Func<Leadership, CancellationToken, Task> body, Action<LeaderElectionOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(body);
        TokenTable.CheckName(name, nameof(name));
        if (services.Any(s => s.ServiceType == typeof(ILeaderElection) && Equals(s.ServiceKey, name)))
        {
            throw new ArgumentException($"The leader election '{name}' is registered already. Give each body a name of its own.", nameof(name));
        }

        var options = new LeaderElectionOptions();
        configure?.Invoke(options);
        options.Check();

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(p => new LeadershipReport(p.GetServices<INotifyLeadership>(), p.GetRequiredService<ILoggerFactory>()));
        services.AddKeyedSingleton<ILeaderElection>(name, (p, _) => new LeaderElection<TContext>(
            name, body, options, p.GetRequiredService<IServiceScopeFactory>(), p.GetRequiredService<LeadershipReport>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => (IHostedService)p.GetRequiredKeyedService<ILeaderElection>(name));
        return services;
    }
}
