using System.Collections.Concurrent;
using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Fencing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>A process that stands for election, with what it hears of leaders.</summary>
internal sealed record ElectionMember(ServiceProvider Services, IHostedService Service, ILeaderElection Election, ElectionMember.Observer Heard) : IAsyncDisposable
{
    public static TimeSpan TimeToLive { get; } = TimeSpan.FromSeconds(1);

    public static ElectionMember Start(string name, Func<Leadership, CancellationToken, Task> body, string? info, string connectionString)
    {
        var observer = new Observer();
        var services = new ServiceCollection()
            .AddLogging()
            .AddDbContext<PlantContext>(o => o.UseNpgsql(connectionString).UseEfConcurrency())
            .AddSingleton<INotifyLeadership>(new Failing())
            .AddSingleton<INotifyLeadership>(observer)
            .AddLeaderElection<PlantContext>(name, body, o =>
            {
                o.Lease = new() { TimeToLive = TimeToLive, HolderInfo = info };
                o.RetryInterval = TimeSpan.FromMilliseconds(50);
            })
            .BuildServiceProvider();
        var member = new ElectionMember(services, services.GetServices<IHostedService>().Single(), services.GetRequiredKeyedService<ILeaderElection>(name), observer);
        _ = member.Service.StartAsync(TestContext.Current.CancellationToken);
        return member;
    }

    /// <summary>A body that leads until it is told to end.</summary>
    public static async Task UntilCancelledAsync(CancellationToken over)
    {
        var cancelled = new TaskCompletionSource();
        await using var registration = over.Register(() => cancelled.TrySetResult());
        await cancelled.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await Service.StopAsync(CancellationToken.None);
        await Services.DisposeAsync();
    }

    internal sealed class Observer : INotifyLeadership
    {
        public ConcurrentQueue<LeadershipChange> Leaders { get; } = new();

        public ConcurrentQueue<LeadershipChange> Elected { get; } = new();

        public ConcurrentQueue<LeadershipChange> Ended { get; } = new();

        public ValueTask ElectedAsync(LeadershipChange change, CancellationToken cancellationToken)
        {
            Elected.Enqueue(change);
            return ValueTask.CompletedTask;
        }

        public ValueTask EndedAsync(LeadershipChange change, CancellationToken cancellationToken)
        {
            Ended.Enqueue(change);
            return ValueTask.CompletedTask;
        }

        public ValueTask NewLeaderAsync(LeadershipChange change, CancellationToken cancellationToken)
        {
            Leaders.Enqueue(change);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Failing : INotifyLeadership
    {
        public ValueTask ElectedAsync(LeadershipChange change, CancellationToken cancellationToken) => throw new InvalidOperationException("observer");
    }
}
