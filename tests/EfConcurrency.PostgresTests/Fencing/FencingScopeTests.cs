using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>Which tokens a context writes under, and for how long.</summary>
public sealed class FencingScopeTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pooled_context_comes_back_without_tokens()
    {
        await using var lease = await plant.TakeOverAsync();
        var factory = new PooledDbContextFactory<PlantContext>(plant.Options(), poolSize: 1);
        var db = await factory.CreateDbContextAsync(Token);
        var scope = db.UseLease(lease);
        await db.DisposeAsync();

        await using var again = await factory.CreateDbContextAsync(Token);
        Assert.Same(db, again);
        again.Add(new Plan());
        await Assert.ThrowsAsync<FencingTokenRequiredException>(() => again.SaveChangesAsync(Token));

        // The scope of the first user can't take away what the second has put in.
        using var second = again.UseLease(lease);
        scope.Dispose();
        await again.SaveChangesAsync(Token);
    }

    [Fact]
    public async Task Two_tokens_of_one_resource_are_refused()
    {
        await using var db = plant.Open();
        using var one = db.UseFencingToken("r", 1);
        using var same = db.UseFencingToken("r", 1);
        Assert.Contains("token 1", Assert.Throws<InvalidOperationException>(() => db.UseFencingToken("r", 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        await using var db = plant.Open();
        Assert.Throws<ArgumentException>(() => db.UseFencingToken("", 1));
        Assert.Throws<ArgumentException>(() => db.UseFencingToken(new string('x', 201), 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => db.UseFencingToken("r", 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => db.UseFencingToken("r", -5));
        using var longest = db.UseFencingToken(new string('x', 200), 1);
    }

    [Fact]
    public async Task A_context_without_UseEfConcurrency_is_refused()
    {
        await using var plain = new DbContext(new DbContextOptionsBuilder().UseNpgsql(plant.ConnectionString).Options);
        Assert.Contains("UseEfConcurrency", Assert.Throws<InvalidOperationException>(() => plain.UseFencingToken("r", 1)).Message, StringComparison.Ordinal);
        Assert.Contains("UseEfConcurrency", Assert.Throws<InvalidOperationException>(() => plain.Leases()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_released_lease_is_refused_before_anything_is_sent()
    {
        var lease = await plant.TakeOverAsync("released");
        await using var db = plant.Open();
        using var scope = db.UseLease(lease);
        await lease.DisposeAsync();
        db.Add(new Remark());

        Assert.Equal(LeaseLoss.Released, (await Assert.ThrowsAsync<LeaseLostException>(() => db.SaveChangesAsync(Token))).Reason);
        Assert.Equal(LeaseLoss.Released, Assert.Throws<LeaseLostException>(() => db.Remarks.ExecuteDelete()).Reason);
        Assert.Equal(LeaseLoss.Released, Assert.Throws<LeaseLostException>(() => plant.Open().UseLease(lease)).Reason);
    }

    /// <summary>An older token of an outside lock is refused for every row, from the first write of the newer one on.</summary>
    [Fact]
    public async Task The_highest_token_from_elsewhere_is_kept_for_the_resource()
    {
        var first = await plant.AddAsync(new Document { Id = 101 }, "document:101");
        await using var db = plant.Open();
        db.Attach(first);
        using (db.UseFencingToken("etcd", 50))
        {
            db.Add(new Remark { Text = "by 50" });
            await db.SaveChangesAsync(Token);
        }

        using (db.UseFencingToken("etcd", 51))
        {
            db.Add(new Remark { Text = "by 51" });
            await db.SaveChangesAsync(Token);
        }

        using (db.UseFencingToken("etcd", 50))
        {
            db.Add(new Remark { Text = "stale" });
            var rejected = await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token));
            Assert.Equal(("etcd", 50L, 51L), (rejected.Resource, rejected.Token, rejected.CurrentToken));
            await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.Remarks.ExecuteDeleteAsync(Token));
        }

        // It can't be acquired as a lease meanwhile.
        Assert.Equal(LeaseOutcome.Held, (await db.Leases().TryAcquireAsync("etcd", cancellationToken: Token)).Outcome);
    }

    [Fact]
    public async Task A_token_taken_from_a_lease_of_ours_is_judged_by_that_lease_and_leaves_it_as_it_is()
    {
        await using var lease = await plant.TakeOverAsync("lent");
        await using var db = plant.Open();
        using (db.UseFencingToken("lent", lease.FencingToken))
        {
            db.Add(new Remark { Text = "lent" });
            await db.SaveChangesAsync(Token);
        }

        Assert.Equal(lease.Id, (await db.Leases().DescribeAsync("lent", Token))!.Holder);
        using (db.UseFencingToken("lent", lease.FencingToken + 1))
        {
            db.Add(new Remark { Text = "made up" });
            await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token));
        }

        Assert.Equal(lease.FencingToken, (await db.Leases().DescribeAsync("lent", Token))!.FencingToken);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(20, 2)]
    public async Task The_lease_guard_adds_no_round_trip(int rows, int expected)
    {
        await using var lease = await plant.TakeOverAsync();
        await using var proxy = plant.StartProxy();
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        using var scope = db.UseLease(lease);
        var plans = Enumerable.Range(0, rows).Select(_ => new Plan()).ToList();
        db.AddRange(plans);
        await db.SaveChangesAsync(Token);
        plans.ForEach(p => p.Total = 1);

        var trips = proxy.CountRoundTrips();
        Assert.Equal(rows, await db.SaveChangesAsync(Token));

        Assert.Equal(expected, trips.Count);
    }

    /// <summary>A renewal goes through while a fenced transaction is open; a takeover waits for its end.</summary>
    [Fact]
    public async Task A_takeover_waits_for_a_fenced_transaction_and_a_renewal_does_not()
    {
        await using var lease = await plant.TakeOverAsync(holder: "first");
        await using var db = plant.Open();
        using var scope = db.UseLease(lease);
        await using (var transaction = await db.Database.BeginTransactionAsync(Token))
        {
            db.Add(new Plan());
            await db.SaveChangesAsync(Token);
            await lease.RenewAsync(Token);
            await plant.ExecuteAsync($"update efc.lease set expires_at = clock_timestamp() where name = '{PlantContext.Resource}'");

            var contended = await db.Leases().TryAcquireAsync(PlantContext.Resource, cancellationToken: Token);
            Assert.Equal(LeaseOutcome.Contended, contended.Outcome);
            await transaction.CommitAsync(Token);
        }

        var taken = await db.Leases().TryAcquireAsync(PlantContext.Resource, cancellationToken: Token);
        Assert.Equal(LeaseOutcome.Acquired, taken.Outcome);
        await taken.Lease!.DisposeAsync();
    }
}
