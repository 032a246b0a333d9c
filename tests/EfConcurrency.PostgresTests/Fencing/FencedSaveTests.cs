using EfConcurrency.Fencing;
using EfConcurrency.Leases;
using EfConcurrency.Resilience;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>A stale holder's save is refused, whatever it writes and however it is sent.</summary>
public sealed class FencedSaveTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_save_writes_the_token_into_the_row_and_shows_it_on_the_entity()
    {
        var plan = await plant.AddAsync(new Plan());
        await using var lease = await plant.TakeOverAsync();
        await using var db = plant.Open();
        using var scope = db.UseLease(lease);
        var mine = await db.Plans.SingleAsync(p => p.Id == plan.Id, Token);
        mine.Total = 5;
        Assert.Equal(1, await db.SaveChangesAsync(Token));

        Assert.Equal(lease.FencingToken, mine.FencingToken);
        Assert.Equal(lease.FencingToken, await RowTokenAsync("Plans", plan.Id));
    }

    [Fact]
    public async Task A_save_without_a_token_throws_and_sends_nothing()
    {
        await using var proxy = plant.StartProxy();
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        db.Add(new Plan());
        var trips = proxy.CountRoundTrips();

        var required = await Assert.ThrowsAsync<FencingTokenRequiredException>(() => db.SaveChangesAsync(Token));

        Assert.Equal(0, trips.Count);
        Assert.Equal(PlantContext.Resource, required.Resource);
        Assert.Equal("Plan", required.EntityType);
    }

    public static MatrixTheoryData<ServerJudgedSaves, AutoTransactionBehavior, bool, int, bool> Ways => new(
        [ServerJudgedSaves.WhenAvailable, ServerJudgedSaves.Never],
        [AutoTransactionBehavior.WhenNeeded, AutoTransactionBehavior.Always, AutoTransactionBehavior.Never],
        [false, true],
        [1, 3],
        [false, true]);

    /// <summary>The hole of a row fence alone: the new holder has not written these rows yet.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_stale_save_before_the_new_holders_first_write_is_refused(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows, bool sync)
    {
        var plans = new List<Plan>();
        for (var i = 0; i < rows; i++)
        {
            plans.Add(await plant.AddAsync(new Plan()));
        }

        await using var stale = await plant.TakeOverAsync(holder: "first");
        await using var db = plant.Open(o => o.UseServerJudgedSaves(judge));
        db.Database.AutoTransactionBehavior = behavior;
        using var scope = db.UseLease(stale);
        db.AttachRange(plans);
        plans.ForEach(p => p.Total = 99);
        await using var current = await plant.TakeOverAsync();

        await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null;
        var rejected = await Assert.ThrowsAsync<FencingTokenRejectedException>(async () => _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));
        if (transaction is not null)
        {
            await transaction.CommitAsync(Token);
        }

        Assert.Equal((PlantContext.Resource, stale.FencingToken, current.FencingToken, "second"), (rejected.Resource, rejected.Token, rejected.CurrentToken, rejected.CurrentHolder));
        Assert.Equal(0L, await plant.ScalarAsync<long>($"select count(*) from \"Plans\" where \"Total\" = 99 and \"Id\" in ({string.Join(',', plans.Select(p => p.Id))})"));
        Assert.All(plans, p => Assert.NotEqual(stale.FencingToken, p.FencingToken));
    }

    [Fact]
    public async Task Inserts_deletes_stubs_and_owned_parts_are_fenced()
    {
        var plan = await plant.AddAsync(new Plan { Site = new() { Town = "Ulm" }, Steps = { new() { Text = "cut" } } });
        await using var stale = await plant.TakeOverAsync(holder: "first");
        await using var current = await plant.TakeOverAsync();

        await RefusedAsync(stale, async db =>
        {
            db.Add(new Plan { Total = 1 });
            await Task.CompletedTask;
        });
        await RefusedAsync(stale, async db => db.Remove(await db.Plans.SingleAsync(p => p.Id == plan.Id, Token)));
        await RefusedAsync(stale, db =>
        {
            db.Remove(new Plan { Id = plan.Id });
            return Task.CompletedTask;
        });
        await RefusedAsync(stale, db =>
        {
            db.Update(new Plan { Id = plan.Id, Total = 7 });
            return Task.CompletedTask;
        });
        await RefusedAsync(stale, async db => (await db.Plans.SingleAsync(p => p.Id == plan.Id, Token)).Site!.Town = "Bonn");
        await RefusedAsync(stale, async db => (await db.Plans.SingleAsync(p => p.Id == plan.Id, Token)).Steps[0].Text = "drill");
        await RefusedAsync(stale, db =>
        {
            db.Add(new Booking { Amount = 1 });
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task A_table_for_each_type_is_fenced_in_its_base_table()
    {
        var robot = await plant.AddAsync(new Robot { Arms = 2 });
        await using var stale = await plant.TakeOverAsync(holder: "first");
        await using var current = await plant.TakeOverAsync();
        await RefusedAsync(stale, async db => (await db.Set<Robot>().SingleAsync(r => r.Id == robot.Id, Token)).Arms = 3);

        await using var db = plant.Open();
        using var scope = db.UseLease(current);
        (await db.Set<Robot>().SingleAsync(r => r.Id == robot.Id, Token)).Arms = 4;
        await db.SaveChangesAsync(Token);
        Assert.Equal(current.FencingToken, await RowTokenAsync("Machine", robot.Id));
    }

    [Fact]
    public async Task Each_row_can_have_a_lease_of_its_own_and_several_are_used_at_once()
    {
        var one = await plant.AddAsync(new Document { Id = 1 }, "document:1");
        var two = await plant.AddAsync(new Document { Id = 2 }, "document:2");
        await using var first = await plant.TakeOverAsync("document:1");
        await using var second = await plant.TakeOverAsync("document:2");
        await using var db = plant.Open();
        db.AttachRange(one, two);
        one.Text = "a";
        two.Text = "b";

        using (db.UseLease(first))
        {
            Assert.Equal("document:2", (await Assert.ThrowsAsync<FencingTokenRequiredException>(() => db.SaveChangesAsync(Token))).Resource);
            using (db.UseLease(second))
            {
                Assert.Equal(2, await db.SaveChangesAsync(Token));
            }
        }

        Assert.Equal(first.FencingToken, one.FencingToken);
        Assert.Equal(second.FencingToken, two.FencingToken);

        one.Text = "c";
        two.Text = "d";
        await using var third = await plant.TakeOverAsync("document:2");
        using var firstScope = db.UseLease(first);
        using var secondScope = db.UseLease(second);
        Assert.Equal("document:2", (await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token))).Resource);
        Assert.Null(await plant.ScalarAsync<object>("select (select \"Text\" from \"Documents\" where \"Id\" = 1 and \"Text\" = 'c')") as string);
    }

    [Fact]
    public async Task Everything_that_is_saved_under_a_lease_is_guarded_fenced_or_not()
    {
        await using var stale = await plant.TakeOverAsync(holder: "first");
        await using var current = await plant.TakeOverAsync();
        await RefusedAsync(stale, db =>
        {
            db.Add(new Remark { Text = "stale" });
            return Task.CompletedTask;
        });
        Assert.Equal(0L, await plant.ScalarAsync<long>("select count(*) from \"Remarks\" where \"Text\" = 'stale'"));
    }

    [Fact]
    public async Task A_version_conflict_under_a_good_lease_is_a_version_conflict_and_a_stale_lease_is_told_first()
    {
        var plan = await plant.AddAsync(new VersionedPlan());
        await using var lease = await plant.TakeOverAsync(holder: "first");
        await using var db = plant.Open();
        var mine = await db.Set<VersionedPlan>().SingleAsync(p => p.Id == plan.Id, Token);
        await plant.ExecuteAsync($"update \"VersionedPlan\" set \"Version\" = \"Version\" + 1 where \"Id\" = {plan.Id}");
        mine.Total = 1;
        using (db.UseLease(lease))
        {
            await Assert.ThrowsAsync<VersionConflictException>(() => db.SaveChangesAsync(Token));
            await using var current = await plant.TakeOverAsync();
            await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token));
        }
    }

    [Fact]
    public async Task A_rejection_is_repeated_by_no_retry()
    {
        var plan = await plant.AddAsync(new Plan());
        await using var stale = await plant.TakeOverAsync(holder: "first");
        await using var current = await plant.TakeOverAsync();
        var attempts = 0;
        var factory = new PooledDbContextFactory<PlantContext>(
            new DbContextOptionsBuilder<PlantContext>().UseNpgsql(plant.ConnectionString, n => n.EnableRetryOnFailure()).UseEfConcurrency().Options);

        await Assert.ThrowsAsync<FencingTokenRejectedException>(() => factory.RetryOnConflictAsync(
            async (db, token) =>
            {
                attempts++;
                using var scope = db.UseLease(stale);
                (await db.Plans.SingleAsync(p => p.Id == plan.Id, token)).Total = 3;
                await db.SaveChangesAsync(token);
            },
            cancellationToken: Token));

        Assert.Equal(1, attempts);
        Assert.Equal(ReplayVerdict.Never, ReplayClassifier.Classify(new FencingTokenRejectedException("r", 1, 2, null), new HashSet<string>()));
    }

    private async Task RefusedAsync(Lease stale, Func<PlantContext, Task> change)
    {
        await using var db = plant.Open();
        using var scope = db.UseLease(stale);
        await change(db);
        await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.SaveChangesAsync(Token));
    }

    private Task<long> RowTokenAsync(string table, int id) => plant.ScalarAsync<long>($"select \"FencingToken\" from \"{table}\" where \"Id\" = {id}");
}
