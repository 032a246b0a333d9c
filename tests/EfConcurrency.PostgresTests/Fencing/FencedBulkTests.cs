using EfConcurrency.Leases;
using EfConcurrency.Fencing;
using EfConcurrency.QueryPipeline;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary><c>ExecuteUpdate</c> and <c>ExecuteDelete</c> under a lease.</summary>
public sealed class FencedBulkTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>EF compiles the statement once; the token must not be part of what it keeps.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cached_statement_sees_the_token_of_its_own_execution(bool sync)
    {
        var plan = await plant.AddAsync(new Plan());
        await using var first = await plant.TakeOverAsync(holder: "first");
        Assert.Equal(1, await UpdateAsync(first, plan.Id, sync));
        Assert.Equal(first.FencingToken, await TokenAsync(plan.Id));

        await using var second = await plant.TakeOverAsync();
        var rejected = await Assert.ThrowsAsync<FencingTokenRejectedException>(() => UpdateAsync(first, plan.Id, sync));
        Assert.Equal((first.FencingToken, second.FencingToken, "second"), (rejected.Token, rejected.CurrentToken, rejected.CurrentHolder));
        Assert.Equal(1, await UpdateAsync(second, plan.Id, sync));
        Assert.Equal(second.FencingToken, await TokenAsync(plan.Id));
    }

    private static readonly Func<PlantContext, int, int> DeleteCompiled = EF.CompileQuery((PlantContext db, int id) => db.Plans.Where(p => p.Id == id).ExecuteDelete());

    /// <summary>A compiled query is translated once for the life of the program.</summary>
    [Fact]
    public async Task A_compiled_query_sees_the_token_of_its_own_execution()
    {
        var one = await plant.AddAsync(new Plan());
        var two = await plant.AddAsync(new Plan());
        await using var first = await plant.TakeOverAsync(holder: "first");
        Assert.Equal(1, Delete(first, one.Id));
        await using var second = await plant.TakeOverAsync();
        Assert.Throws<FencingTokenRejectedException>(() => Delete(first, two.Id));
        Assert.Equal(1, Delete(second, two.Id));

        int Delete(Lease lease, int id)
        {
            using var db = plant.Open();
            using var scope = db.UseLease(lease);
            return DeleteCompiled(db, id);
        }
    }

    [Fact]
    public async Task One_round_trip_with_the_lease_guard()
    {
        var plan = await plant.AddAsync(new Plan());
        await using var lease = await plant.TakeOverAsync();
        await using var proxy = plant.StartProxy();
        await using var db = plant.Open(connectionString: proxy.ConnectionString);
        using var scope = db.UseLease(lease);
        await db.Plans.CountAsync(Token);

        var trips = proxy.CountRoundTrips();
        Assert.Equal(1, await db.Plans.Where(p => p.Id == plan.Id).ExecuteUpdateAsync(s => s.SetProperty(p => p.Total, 3), Token));

        Assert.Equal(1, trips.Count);
    }

    [Fact]
    public async Task A_delete_is_fenced()
    {
        var plan = await plant.AddAsync(new Plan());
        await using var stale = await plant.TakeOverAsync(holder: "first");
        await using var current = await plant.TakeOverAsync();
        await using var db = plant.Open();
        using (db.UseLease(stale))
        {
            await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.Plans.Where(p => p.Id == plan.Id).ExecuteDeleteAsync(Token));
        }

        using (db.UseLease(current))
        {
            Assert.Equal(1, await db.Plans.Where(p => p.Id == plan.Id).ExecuteDeleteAsync(Token));
        }
    }

    /// <summary>The guard is evaluated before a row is looked for, and although nothing of the entity is fenced.</summary>
    [Fact]
    public async Task A_stale_lease_refuses_also_what_is_not_fenced_and_what_matches_no_row()
    {
        await using var stale = await plant.TakeOverAsync(holder: "first");
        await using var current = await plant.TakeOverAsync();
        await using var db = plant.Open();
        using var scope = db.UseLease(stale);
        await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.Remarks.ExecuteDeleteAsync(Token));
        await Assert.ThrowsAsync<FencingTokenRejectedException>(() => db.Plans.Where(p => p.Id < 0).ExecuteUpdateAsync(s => s.SetProperty(p => p.Total, 3), Token));
    }

    [Fact]
    public async Task Without_a_token_a_fenced_table_is_refused_and_another_is_not()
    {
        await using var db = plant.Open();
        await Assert.ThrowsAsync<FencingTokenRequiredException>(() => db.Plans.ExecuteUpdateAsync(s => s.SetProperty(p => p.Total, 3), Token));
        await Assert.ThrowsAsync<FencingTokenRequiredException>(() => db.Bookings.ExecuteDeleteAsync(Token));
        await db.Remarks.Where(r => r.Id < 0).ExecuteDeleteAsync(Token);
    }

    [Fact]
    public async Task Rows_with_leases_of_their_own_only_the_row_in_scope_is_written()
    {
        await plant.AddAsync(new Document { Id = 11 }, "document:11");
        await plant.AddAsync(new Document { Id = 12 }, "document:12");
        await using var lease = await plant.TakeOverAsync("document:11");
        await using var other = await plant.TakeOverAsync("document:12");
        await using var db = plant.Open();
        using var scope = db.UseLease(lease);

        Assert.Equal(1, await db.Documents.Where(d => d.Id > 10).ExecuteUpdateAsync(s => s.SetProperty(d => d.Text, "x"), Token));
        Assert.Equal(lease.FencingToken, await plant.ScalarAsync<long>("select \"FencingToken\" from \"Documents\" where \"Id\" = 11"));

        using var second = db.UseLease(other);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Documents.ExecuteUpdateAsync(s => s.SetProperty(d => d.Text, "x"), Token));
    }

    [Fact]
    public async Task Setting_the_token_oneself_is_refused()
    {
        await using var db = plant.Open();
        await Assert.ThrowsAsync<UnsupportedBulkUpdateException>(() => db.Plans.ExecuteUpdateAsync(s => s.SetProperty(p => p.FencingToken, 9), Token));
    }

    [Fact]
    public async Task Columns_of_another_table_than_the_token_are_refused()
    {
        await using var db = plant.Open();
        await Assert.ThrowsAsync<UnsupportedBulkUpdateException>(() => db.Set<Robot>().ExecuteUpdateAsync(s => s.SetProperty(r => r.Arms, 9), Token));
    }

    [Fact]
    public async Task The_row_alone_refuses_a_lower_token_by_writing_nothing()
    {
        var rows = await RowsDatabase.CreateAsync(plant);
        var id = await rows.AddAsync(10);
        await using var db = rows.Open();
        foreach (var (token, written) in (ReadOnlySpan<(long, int)>)[(9, 0), (10, 1), (11, 1), (10, 0)])
        {
            using var scope = db.UseFencingToken(PlantContext.Resource, token);
            Assert.Equal(written, db.Plans.Where(p => p.Id == id).ExecuteUpdate(s => s.SetProperty(p => p.Total, p => p.Total + 1)));
        }

        Assert.Equal(11L, await rows.TokenAsync(id));
    }

    private async Task<int> UpdateAsync(Lease lease, int id, bool sync)
    {
        await using var db = plant.Open();
        using var scope = db.UseLease(lease);
        var plans = db.Plans.Where(p => p.Id == id);
        return sync
            ? plans.ExecuteUpdate(s => s.SetProperty(p => p.Total, p => p.Total + 1))
            : await plans.ExecuteUpdateAsync(s => s.SetProperty(p => p.Total, p => p.Total + 1), Token);
    }

    private Task<long> TokenAsync(int id) => plant.ScalarAsync<long>($"select \"FencingToken\" from \"Plans\" where \"Id\" = {id}");
}
