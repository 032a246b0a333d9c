using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Fencing;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>One leader at a time, and an orderly way from one to the next.</summary>
public sealed class LeaderElectionTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Name { get; } = Guid.NewGuid().ToString();

    [Fact]
    public async Task One_of_three_leads_and_when_it_stops_another_does_under_a_higher_token()
    {
        var tokens = new List<long>();
        var leading = 0;
        var members = Enumerable.Range(0, 3).Select(_ => Start(async (leadership, over) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref leading));
            lock (tokens)
            {
                tokens.Add(leadership.FencingToken);
            }

            await ElectionMember.UntilCancelledAsync(over);
            Interlocked.Decrement(ref leading);
        })).ToList();

        while (members.Count > 0)
        {
            await Eventually.IsTrueAsync(() => members.Count(m => m.Election.IsLeader) == 1);
            var leader = members.Single(m => m.Election.IsLeader);
            members.Remove(leader);
            await leader.DisposeAsync();
            Assert.False(leader.Election.IsLeader);
        }

        Assert.Equal(3, tokens.Count);
        Assert.Equal(tokens.Order(), tokens);
        Assert.Distinct(tokens);
    }

    /// <summary>SIGTERM: cancel, wait for the body while the lease is still renewed, release. Nobody leads before the body has ended.</summary>
    [Fact]
    public async Task On_stop_the_body_ends_before_the_lease_is_released()
    {
        var cancelled = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        var first = Start(async (_, over) =>
        {
            await ElectionMember.UntilCancelledAsync(over);
            cancelled.SetResult();
            await mayEnd.Task;
        });
        await Eventually.IsTrueAsync(() => first.Election.IsLeader);
        var held = (await DescribeAsync())!;

        var stopping = first.Service.StopAsync(Token);
        await cancelled.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await Eventually.IsTrueAsync(async () => (await DescribeAsync())!.RenewedAt > held.AcquiredAt + ElectionMember.TimeToLive);
        Assert.False(stopping.IsCompleted);
        Assert.Equal(held.Holder, (await DescribeAsync())!.Holder);

        mayEnd.SetResult();
        await stopping;
        Assert.Null((await DescribeAsync())!.Holder);
        await first.DisposeAsync();
    }

    [Fact]
    public async Task A_lost_lease_cancels_the_body_and_it_leads_again_only_after_the_body_has_ended()
    {
        var terms = 0;
        var mayEnd = new TaskCompletionSource();
        var lost = new TaskCompletionSource();
        await using var member = Start(async (_, over) =>
        {
            terms++;
            await ElectionMember.UntilCancelledAsync(over);
            lost.TrySetResult();
            await mayEnd.Task;
        });
        await Eventually.IsTrueAsync(() => member.Election.IsLeader);
        await ForceAsync();
        await lost.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.False(member.Election.IsLeader);
        Assert.Equal(1, terms);

        mayEnd.SetResult();
        await Eventually.IsTrueAsync(() => member.Election.IsLeader);
        Assert.Equal(2, terms);
        var ended = Assert.Single(member.Heard.Ended);
        Assert.Equal((LeaseLoss.TakenOver, true), (ended.Loss!.Value, ended.IsThisProcess));
    }

    [Fact]
    public async Task A_body_that_fails_or_ends_steps_down_and_stands_again()
    {
        var terms = 0;
        await using var member = Start(async (_, over) =>
        {
            switch (++terms)
            {
                case 1:
                    throw new InvalidOperationException("no");
                case 2:
                    return;
                default:
                    await ElectionMember.UntilCancelledAsync(over);
                    break;
            }
        });
        await Eventually.IsTrueAsync(() => terms == 3 && member.Election.IsLeader);
        Assert.Equal([null, null], member.Heard.Ended.Select(e => e.Loss));
    }

    [Fact]
    public async Task Observers_hear_of_leaders_and_may_fail()
    {
        await using var leader = Start((_, over) => ElectionMember.UntilCancelledAsync(over), "alpha");
        await Eventually.IsTrueAsync(() => leader.Election.IsLeader);
        await using var follower = Start((_, over) => ElectionMember.UntilCancelledAsync(over), "beta");
        await Eventually.IsTrueAsync(() => !follower.Heard.Leaders.IsEmpty);

        var heard = Assert.Single(follower.Heard.Leaders);
        Assert.Equal(("alpha", false, leader.Election.Leader!.FencingToken), (heard.Leader, heard.IsThisProcess, heard.FencingToken));
        Assert.Equal(("alpha", true), (Assert.Single(leader.Heard.Leaders).Leader, Assert.Single(leader.Heard.Elected).IsThisProcess));
        Assert.Equal("alpha", follower.Election.Leader!.Leader);
    }

    [Fact]
    public async Task The_leader_writes_under_its_lease()
    {
        var saved = new TaskCompletionSource<long>();
        await using var member = Start(async (leadership, over) =>
        {
            var db = leadership.Services.GetRequiredService<PlantContext>();
            await db.Leases().ForceAsync(PlantContext.Resource, over);
            using var scope = db.UseLease(leadership.Lease);
            db.Add(new Remark { Text = Name });
            await db.SaveChangesAsync(over);
            saved.SetResult(leadership.FencingToken);
            await ElectionMember.UntilCancelledAsync(over);
        });
        Assert.Equal((await DescribeUntilAsync())!.FencingToken, await saved.Task.WaitAsync(TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public async Task A_database_that_comes_later_is_waited_for()
    {
        await using var own = await plant.CreateDatabaseAsync();
        await using var member = Start((_, over) => ElectionMember.UntilCancelledAsync(over), connectionString: own.ConnectionString);
        await using var db = plant.Open(connectionString: own.ConnectionString);
        await db.Database.EnsureCreatedAsync(Token);
        await Eventually.IsTrueAsync(() => member.Election.IsLeader);
    }

    [Fact]
    public void Bad_input_is_refused_when_it_is_registered()
    {
        var services = new ServiceCollection();
        static Task Body(Leadership leadership, CancellationToken over) => Task.CompletedTask;
        Assert.Throws<ArgumentException>(() => services.AddLeaderElection<PlantContext>("", Body));
        Assert.Throws<ArgumentException>(() => services.AddLeaderElection<PlantContext>(new string('x', 201), Body));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddLeaderElection<PlantContext>("x", Body, o => o.Lease = new() { TimeToLive = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddLeaderElection<PlantContext>("x", Body, o => o.Lease = new() { KeepAlive = false }));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddLeaderElection<PlantContext>("x", Body, o => o.RetryInterval = TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddLeaderElection<PlantContext>("x", Body, o => o.FailFastAfter = TimeSpan.FromSeconds(-1)));
        services.AddLeaderElection<PlantContext>("x", Body);
        Assert.Contains("already", Assert.Throws<ArgumentException>(() => services.AddLeaderElection<PlantContext>("x", Body)).Message, StringComparison.Ordinal);
    }

    private ElectionMember Start(Func<Leadership, CancellationToken, Task> body, string? info = null, string? connectionString = null)
        => ElectionMember.Start(Name, body, info, connectionString ?? plant.ConnectionString);

    private async Task<LeaseInfo?> DescribeAsync()
    {
        await using var db = plant.Open();
        return await db.Leases().DescribeAsync(Name, Token);
    }

    private async Task<LeaseInfo?> DescribeUntilAsync()
    {
        await Eventually.IsTrueAsync(async () => await DescribeAsync() is not null);
        return await DescribeAsync();
    }

    private async Task ForceAsync()
    {
        await using var db = plant.Open();
        await db.Leases().ForceAsync(Name, Token);
    }
}
