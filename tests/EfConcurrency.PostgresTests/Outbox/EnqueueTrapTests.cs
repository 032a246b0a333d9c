using EfConcurrency.Fencing;
using EfConcurrency.Versioning;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>A save that a check refuses leaves no message behind, in every way of saving. The message would tell of what has not happened.</summary>
public sealed class EnqueueTrapTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<ServerJudgedSaves, AutoTransactionBehavior, bool, int, bool> Ways => new(
        [ServerJudgedSaves.WhenAvailable, ServerJudgedSaves.Never],
        [AutoTransactionBehavior.WhenNeeded, AutoTransactionBehavior.Always, AutoTransactionBehavior.Never],
        [false, true],
        [1, 3, 20],
        [false, true]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_refused_version_leaves_no_message(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows, bool sync)
    {
        var sales = await shop.AddSalesAsync(rows);
        await shop.ExecuteAsync($"update \"Sales\" set \"Version\" = \"Version\" + 1 where \"Id\" = {sales[^1].Id}");
        await using var db = shop.Open(o => o.UseServerJudgedSaves(judge));
        db.AttachRange(sales);
        sales.ForEach(s => s.Number = 7);

        var id = await SaveAsync(db, behavior, inTransaction, sync, typeof(VersionConflictException));

        Assert.Equal(0, await shop.CopiesAsync(id));
        Assert.Equal(0L, await NumberedAsync("Sales", sales.Select(s => s.Id)));
        Assert.Equal(1, db.Outbox().UnsavedCount);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_refused_fence_leaves_no_message(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows, bool sync)
    {
        await using var db = shop.Open(o => o.UseServerJudgedSaves(judge));
        using var scope = db.UseFencingToken(EnqueueContext.Resource, 5);
        var shelves = Enumerable.Range(0, rows).Select(_ => new Shelf()).ToList();
        db.AddRange(shelves);
        await db.SaveChangesAsync(Token);
        await shop.ExecuteAsync($"update \"Shelves\" set \"FencingToken\" = 6 where \"Id\" = {shelves[^1].Id}");
        shelves.ForEach(s => s.Number = 7);

        var id = await SaveAsync(db, behavior, inTransaction, sync, typeof(FencingTokenRejectedException));

        Assert.Equal(0, await shop.CopiesAsync(id));
        Assert.Equal(0L, await NumberedAsync("Shelves", shelves.Select(s => s.Id)));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task An_accepted_save_leaves_the_message_once(ServerJudgedSaves judge, AutoTransactionBehavior behavior, bool inTransaction, int rows, bool sync)
    {
        var sales = await shop.AddSalesAsync(rows);
        await using var db = shop.Open(o => o.UseServerJudgedSaves(judge));
        db.AttachRange(sales);
        sales.ForEach(s => s.Number = 7);

        var id = await SaveAsync(db, behavior, inTransaction, sync, refusal: null);

        Assert.Equal(1, await shop.CopiesAsync(id));
        Assert.Equal(rows, await NumberedAsync("Sales", sales.Select(s => s.Id)));
        Assert.Equal(0, db.Outbox().UnsavedCount);
    }

    [Theory]
    [InlineData(ServerJudgedSaves.WhenAvailable)]
    [InlineData(ServerJudgedSaves.Never)]
    public async Task A_save_of_several_batches_is_refused_with_its_message(ServerJudgedSaves judge)
    {
        var sales = await shop.AddSalesAsync(7);
        await shop.ExecuteAsync($"update \"Sales\" set \"Version\" = \"Version\" + 1 where \"Id\" = {sales[0].Id}");
        await using var db = shop.Open(o => o.UseServerJudgedSaves(judge), options: o => o.UseNpgsql(shop.ConnectionString, n => n.MaxBatchSize(2)));
        db.AttachRange(sales);
        sales.ForEach(s => s.Number = 7);

        var id = await SaveAsync(db, AutoTransactionBehavior.WhenNeeded, inTransaction: false, sync: false, typeof(VersionConflictException));

        Assert.Equal(0, await shop.CopiesAsync(id));
    }

    /// <summary>Not a check of ours: the database itself refuses a row.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_violated_constraint_leaves_no_message(bool inTransaction, bool sync)
    {
        var code = Guid.NewGuid().ToString();
        await shop.ExecuteAsync($"insert into \"Slips\" (\"Code\") values ('{code}')");
        await using var db = shop.Open();
        db.Add(new Slip { Code = code });

        var id = await SaveAsync(db, AutoTransactionBehavior.WhenNeeded, inTransaction, sync, typeof(DbUpdateException));

        Assert.Equal(0, await shop.CopiesAsync(id));
    }

    [Theory]
    [InlineData(ServerJudgedSaves.WhenAvailable)]
    [InlineData(ServerJudgedSaves.Never)]
    public async Task A_unit_that_lost_a_conflict_leaves_only_the_message_of_the_attempt_that_won(ServerJudgedSaves judge)
    {
        var sale = (await shop.AddSalesAsync(1))[0];
        await using var db = shop.Open(o => o.UseServerJudgedSaves(judge));
        var ids = new List<Guid>();

        await db.RetryOnConflictAsync(
            async (context, token) =>
            {
                var mine = await context.Sales.SingleAsync(s => s.Id == sale.Id, token);
                if (ids.Count == 0)
                {
                    await shop.ExecuteAsync($"update \"Sales\" set \"Version\" = \"Version\" + 1 where \"Id\" = {sale.Id}");
                }

                mine.Number = 7;
                ids.Add(context.Outbox().Enqueue(new SaleMade(mine.Id, "")));
                await context.SaveChangesAsync(token);
            },
            new() { LockAfterConflicts = 0 },
            Token);

        Assert.Equal(2, ids.Count);
        Assert.Equal(0, await shop.CopiesAsync(ids[0]));
        Assert.Equal(1, await shop.CopiesAsync(ids[1]));
        Assert.Equal(0, db.Outbox().UnsavedCount);
    }

    private static async Task<Guid> SaveAsync(EnqueueContext db, AutoTransactionBehavior behavior, bool inTransaction, bool sync, Type? refusal)
    {
        db.Database.AutoTransactionBehavior = behavior;
        var id = db.Outbox().Enqueue(new SaleMade(1, "trap"), key: "trap");
        await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null;
        var exception = await Record.ExceptionAsync(async () => _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));
        Assert.Equal(refusal, exception?.GetType());
        if (transaction is not null)
        {
            await transaction.CommitAsync(Token);
        }

        return id;
    }

    private Task<long> NumberedAsync(string table, IEnumerable<int> ids)
        => shop.ScalarAsync<long>($"select count(*) from \"{table}\" where \"Number\" = 7 and \"Id\" in ({string.Join(',', ids)})");
}
