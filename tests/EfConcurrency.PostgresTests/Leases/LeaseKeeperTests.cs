using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using EfConcurrency.PostgresTests.Fencing;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfConcurrency.PostgresTests.Leases;

/// <summary>What keeps a lease, and how this process learns that it has lost it.</summary>
public sealed class LeaseKeeperTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static readonly LeaseOptions Short = new() { TimeToLive = TimeSpan.FromMilliseconds(900) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Name { get; } = Guid.NewGuid().ToString();

    [Fact]
    public async Task A_lease_is_renewed_past_its_time_and_released_when_it_is_disposed()
    {
        await using var db = plant.Open();
        var leases = db.Leases();
        var lease = await leases.AcquireAsync(Name, TimeSpan.Zero, Short, Token);
        var acquired = (await leases.DescribeAsync(Name, Token))!;
        await Eventually.IsTrueAsync(async () => (await leases.DescribeAsync(Name, Token))!.RenewedAt > acquired.AcquiredAt + (Short.TimeToLive * 2));

        Assert.True(lease.IsHeld);
        Assert.False(lease.LostToken.IsCancellationRequested);
        await lease.DisposeAsync();
        Assert.Null((await leases.DescribeAsync(Name, Token))!.Holder);
        Assert.False(lease.LostToken.IsCancellationRequested);
    }

    /// <summary>No answer comes, and no error either: the end comes by the local clock.</summary>
    [Fact]
    public async Task In_a_black_hole_the_lease_is_lost_at_its_deadline_and_another_can_have_it()
    {
        await using var proxy = plant.StartProxy();
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        await using var lease = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, Short, Token);
        proxy.BlackHole = true;

        await Eventually.IsCancelledAsync(lease.LostToken);

        Assert.Equal(LeaseLoss.Expired, lease.Loss);
        await using var direct = plant.Open();
        await using var next = await direct.Leases().AcquireAsync(Name, TimeSpan.FromSeconds(10), Short, Token);
        Assert.True(next.FencingToken > lease.FencingToken);
    }

    [Fact]
    public async Task Killed_sessions_do_not_lose_the_lease()
    {
        await using var db = plant.Open();
        var leases = db.Leases();
        await using var lease = await leases.AcquireAsync(Name, TimeSpan.Zero, new() { TimeToLive = TimeSpan.FromSeconds(3) }, Token);
        for (var i = 0; i < 3; i++)
        {
            var before = (await leases.DescribeAsync(Name, Token))!.RenewedAt;
            await plant.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%efc-lease%' and datname = current_database()");
            await Eventually.IsTrueAsync(async () =>
            {
                try
                {
                    return (await leases.DescribeAsync(Name, Token))!.RenewedAt > before;
                }
                catch (LeaseUnavailableException)
                {
                    return false;
                }
            });
        }

        Assert.True(lease.IsHeld);
    }

    [Fact]
    public async Task Forced_free_it_is_noticed_at_the_next_renewal()
    {
        await using var db = plant.Open();
        await using var lease = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, Short, Token);
        await db.Leases().ForceAsync(Name, Token);
        await Eventually.IsCancelledAsync(lease.LostToken);
        Assert.Equal(LeaseLoss.TakenOver, lease.Loss);
    }

    /// <summary>The work that the lease protects has all connections of its pool: the renewal has its own.</summary>
    [Fact]
    public async Task A_lease_does_not_starve_behind_the_work_it_protects()
    {
        var connectionString = new NpgsqlConnectionStringBuilder(plant.ConnectionString) { MaxPoolSize = 2, Timeout = 1, ApplicationName = Name }.ConnectionString;
        await using var one = plant.Open(connectionString: connectionString);
        await using var two = plant.Open(connectionString: connectionString);
        await one.Database.OpenConnectionAsync(Token);
        await two.Database.OpenConnectionAsync(Token);
        await using var lease = await one.Leases().AcquireAsync(Name, TimeSpan.Zero, Short, Token);
        var acquired = (await one.Leases().DescribeAsync(Name, Token))!;

        await Eventually.IsTrueAsync(async () => (await one.Leases().DescribeAsync(Name, Token))!.RenewedAt > acquired.AcquiredAt + Short.TimeToLive);

        Assert.True(lease.IsHeld);
    }

    /// <summary>It does not know yet that it is over, as after a pause: the database refuses its save.</summary>
    [Fact]
    public async Task A_lease_that_ran_out_unnoticed_is_refused_by_the_database_with_the_new_holder()
    {
        await using var db = plant.Open();
        await using var lease = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, new() { KeepAlive = false, TimeToLive = TimeSpan.FromMinutes(1) }, Token);
        using var scope = db.UseLease(lease);
        await plant.ExecuteAsync($"update efc.lease set expires_at = clock_timestamp() where name = '{Name}'");
        db.Add(new Remark { Text = Name });
        await db.SaveChangesAsync(Token); // over, but nobody else's yet: the row still carries our token

        await using var next = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, new() { HolderInfo = "next" }, Token);
        db.Add(new Remark { Text = Name });
        Assert.True(lease.IsHeld);
        Assert.Equal("next", (await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token))).CurrentHolder);
        Assert.Equal(1L, await plant.ScalarAsync<long>($"select count(*) from \"Remarks\" where \"Text\" = '{Name}'"));
    }

    /// <summary>Released behind its back (by hand, or by a copy of the process): the token still stands in the lease, the acquisition does not.</summary>
    [Fact]
    public async Task A_lease_that_was_released_elsewhere_is_refused_although_its_token_stands()
    {
        await using var db = plant.Open();
        await using var lease = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, new() { KeepAlive = false, TimeToLive = TimeSpan.FromMinutes(1) }, Token);
        using var scope = db.UseLease(lease);
        await plant.ExecuteAsync($"update efc.lease set holder = null, expires_at = '-infinity' where name = '{Name}'");

        db.Add(new Remark { Text = Name });
        await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token));
        await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.Remarks.Where(r => r.Text == Name).ExecuteDeleteAsync(Token));
        await Assert.ThrowsAsync<LeaseLostException>(() => lease.RenewAsync(Token));
    }

    /// <summary>Counted from before the request was sent: what the reply took is gone.</summary>
    [Fact]
    public async Task A_slow_reply_shortens_the_trust()
    {
        await using var proxy = plant.StartProxy();
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        var options = new LeaseOptions { KeepAlive = false, TimeToLive = TimeSpan.FromSeconds(30), SafetyMargin = TimeSpan.Zero };
        await (await db.Leases().AcquireAsync(Name, TimeSpan.Zero, options, Token)).DisposeAsync();
        proxy.Delay = TimeSpan.FromMilliseconds(700);

        await using var lease = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, options, Token);
        Assert.True(lease.Remaining < TimeSpan.FromSeconds(29.4), $"{lease.Remaining}");
        await lease.RenewAsync(Token);
        Assert.True(lease.Remaining < TimeSpan.FromSeconds(29.4), $"{lease.Remaining}");
        proxy.Delay = TimeSpan.Zero;
    }

    [Fact]
    public async Task Without_KeepAlive_it_ends_at_its_time_and_is_never_renewed_afterwards()
    {
        await using var db = plant.Open();
        await using var lease = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, new() { KeepAlive = false, TimeToLive = LeaseOptions.MinTimeToLive }, Token);
        await Eventually.IsCancelledAsync(lease.LostToken);

        Assert.Equal(LeaseLoss.Expired, (await Assert.ThrowsAsync<LeaseLostException>(() => lease.RenewAsync(Token))).Reason);
        Assert.Equal(LeaseLoss.Expired, Assert.Throws<LeaseLostException>(() => db.UseLease(lease)).Reason);
        Assert.False(await lease.ReleaseAsync(Token));
    }

    [Fact]
    public async Task A_lease_whose_database_is_gone_is_disposed_without_an_exception()
    {
        await using var proxy = plant.StartProxy();
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        var lease = await db.Leases().AcquireAsync(Name, TimeSpan.Zero, Short, Token);
        await proxy.DisposeAsync();
        await lease.DisposeAsync();
        Assert.Equal(LeaseLoss.Released, lease.Loss);
    }
}
