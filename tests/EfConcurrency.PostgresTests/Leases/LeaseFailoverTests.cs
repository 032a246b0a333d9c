using System.Globalization;
using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Fencing;
using EfConcurrency.PostgresTests.Support;
using EfConcurrency.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>A primary that dies, and a standby that takes its place, with or without its last commits.</summary>
public sealed class LeaseFailoverTests
{
    private static readonly LeaseOptions Still = new() { KeepAlive = false, TimeToLive = TimeSpan.FromMinutes(10) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Asynchronous: the standby never heard of the last acquisition. Without the timeline in it, its token would be given out again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_promotion_tokens_rise_above_all_that_were_given_out_and_the_old_leader_is_fenced(bool isSynchronous)
    {
        await using var primary = await LocalPostgres.StartAsync(cancellationToken: Token);
        await using (var setUp = Open(primary.ConnectionString))
        {
            await setUp.Database.EnsureCreatedAsync(Token);
        }

        await using var standby = await primary.StartStandbyAsync(cancellationToken: Token);
        if (isSynchronous)
        {
            await standby.MakeSynchronousAsync(Token);
        }

        await using var before = Open(primary.ConnectionString);
        var first = (await before.Leases().TryAcquireAsync("leader", Still, Token)).Lease!;
        await standby.CatchUpAsync(Token);
        if (!isSynchronous)
        {
            await standby.PauseReplicationAsync(Token);
        }

        await before.Leases().ForceAsync("leader", Token);
        var lost = (await before.Leases().TryAcquireAsync("leader", Still, Token)).Lease!;
        Assert.Equal(first.FencingToken + 2, lost.FencingToken);

        await primary.KillAsync(Token);
        await standby.PromoteAsync(Token);

        await using var after = Open(standby.ConnectionString);
        Assert.Equal(isSynchronous ? lost.FencingToken : first.FencingToken, (await after.Leases().DescribeAsync("leader", Token))!.FencingToken);
        var forced = await after.Leases().ForceAsync("leader", Token);
        Assert.True(forced!.FencingToken > lost.FencingToken);
        var next = (await after.Leases().TryAcquireAsync("leader", Still, Token)).Lease!;
        Assert.True(next.FencingToken > forced.FencingToken);
        Assert.Equal(2, next.FencingToken >> 40);

        // The old leader finds the new primary, and writes on.
        foreach (var old in (Lease[])[first, lost])
        {
            await using var db = Open(standby.ConnectionString);
            using var scope = db.UseLease(old);
            db.Add(new Remark { Text = "stale" });
            Assert.Equal(next.FencingToken, (await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token))).CurrentToken);
        }
    }

    /// <summary>A lease that is simply acquired, not forced: the acquisition itself goes above the timeline.</summary>
    [Fact]
    public async Task A_released_lease_is_acquired_after_a_promotion_under_a_token_of_the_new_timeline()
    {
        await using var primary = await LocalPostgres.StartAsync(cancellationToken: Token);
        await using var setUp = Open(primary.ConnectionString);
        await setUp.Database.EnsureCreatedAsync(Token);
        await using (await setUp.Leases().AcquireAsync("job", TimeSpan.Zero, Still, Token))
        {
        }

        await using var standby = await primary.StartStandbyAsync(cancellationToken: Token);
        await primary.KillAsync(Token);
        await standby.PromoteAsync(Token);

        await using var after = Open(standby.ConnectionString);
        Assert.Equal((2L << 40) + 1, (await after.Leases().TryAcquireAsync("job", Still, Token)).Lease!.FencingToken);
        Assert.Equal((2L << 40) + 1, (await after.Leases().TryAcquireAsync("made there", Still, Token)).Lease!.FencingToken);
    }

    [Fact]
    public async Task A_standby_is_refused_by_name()
    {
        await using var primary = await LocalPostgres.StartAsync(cancellationToken: Token);
        await using var setUp = Open(primary.ConnectionString);
        await setUp.Database.EnsureCreatedAsync(Token);
        await using var lease = (await setUp.Leases().TryAcquireAsync("job", Still, Token)).Lease!;
        await using var standby = await primary.StartStandbyAsync(cancellationToken: Token);
        await standby.CatchUpAsync(Token);

        await using var db = Open(standby.ConnectionString);
        var acquisition = await db.Leases().TryAcquireAsync("job", Still, Token);
        Assert.Equal((LeaseOutcome.Unavailable, true), (acquisition.Outcome, acquisition.Failure!.IsReadOnlyServer));
        Assert.Contains("primary", acquisition.Failure.Message, StringComparison.Ordinal);
        Assert.True((await Assert.ThrowsAsync<LeaseUnavailableException>(() => db.Leases().ForceAsync("job", Token))).IsReadOnlyServer);
        Assert.Equal(LeaseOutcome.Unavailable, (await Assert.ThrowsAsync<LeaseNotAcquiredException>(() => db.Leases().AcquireAsync("job", TimeSpan.FromMilliseconds(1), Still, Token))).Outcome);
        Assert.Equal(lease.FencingToken, (await db.Leases().DescribeAsync("job", Token))!.FencingToken);
    }

    /// <summary>Both servers are in the connection string; the leader steps down when its server is gone, and is elected again on the other.</summary>
    [Fact]
    public async Task A_leader_election_goes_on_at_the_new_primary()
    {
        await using var primary = await LocalPostgres.StartAsync(cancellationToken: Token);
        await using (var setUp = Open(primary.ConnectionString))
        {
            await setUp.Database.EnsureCreatedAsync(Token);
        }

        await using var standby = await primary.StartStandbyAsync(cancellationToken: Token);
        var (one, two) = (new NpgsqlConnectionStringBuilder(primary.ConnectionString), new NpgsqlConnectionStringBuilder(standby.ConnectionString));
        one.Host = string.Create(CultureInfo.InvariantCulture, $"{one.Host}:{one.Port},{two.Host}:{two.Port}");
        var terms = new List<long>();
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddDbContext<PlantContext>(o => o.UseNpgsql(one.ConnectionString).UseEfConcurrency())
            .AddLeaderElection<PlantContext>(
                "leader",
                async (leadership, over) =>
                {
                    terms.Add(leadership.FencingToken);
                    await Task.Delay(Timeout.Infinite, over);
                },
                o => (o.Lease, o.RetryInterval) = (new() { TimeToLive = TimeSpan.FromSeconds(1) }, TimeSpan.FromMilliseconds(50)))
            .BuildServiceProvider();
        var service = services.GetServices<IHostedService>().Single();
        await service.StartAsync(Token);
        await Eventually.IsTrueAsync(() => terms.Count == 1);
        await standby.CatchUpAsync(Token);

        await primary.KillAsync(Token);
        await Eventually.IsTrueAsync(() => !services.GetRequiredKeyedService<ILeaderElection>("leader").IsLeader);
        await standby.PromoteAsync(Token);
        await Eventually.IsTrueAsync(() => terms.Count == 2 && services.GetRequiredKeyedService<ILeaderElection>("leader").IsLeader);

        Assert.Equal([1L, 2L], terms.Select(t => t >> 40));
        await service.StopAsync(Token);
    }

    private static PlantContext Open(string connectionString)
        => new(new DbContextOptionsBuilder<PlantContext>().UseNpgsql(connectionString).UseEfConcurrency().Options);
}
