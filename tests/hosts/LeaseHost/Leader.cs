using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LeaseHost;

/// <summary>A host with one leader election, which says on its output what happens.</summary>
internal static class Leader
{
    public static async Task RunAsync(string connectionString, string name, bool isStubborn)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDbContext<StormContext>(o => o.UseNpgsql(connectionString).UseEfConcurrency());
        builder.Services.AddLeaderElection<StormContext>(
            name,
            async (leadership, over) =>
            {
                Console.WriteLine($"leading {leadership.FencingToken}");
                try
                {
                    await Task.Delay(Timeout.Infinite, over);
                }
                catch (OperationCanceledException)
                {
                    Console.WriteLine("cancelled");
                }

                await Task.Delay(isStubborn ? Timeout.Infinite : 0, CancellationToken.None);
                Console.WriteLine("body ended");
            },
            o =>
            {
                o.Lease = new() { TimeToLive = TimeSpan.FromSeconds(3) };
                o.RetryInterval = TimeSpan.FromMilliseconds(50);
                o.FailFastAfter = isStubborn ? TimeSpan.FromMilliseconds(200) : null;
            });
        await builder.Build().RunAsync();
        Console.WriteLine("stopped");
    }
}
