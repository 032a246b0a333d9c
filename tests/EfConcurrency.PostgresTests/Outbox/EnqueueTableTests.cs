using EfConcurrency.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfConcurrency.PostgresTests.Outbox;

/// <summary>An outbox that is not there is named, with what to do; one under other names works.</summary>
public sealed class EnqueueTableTests(EnqueueDatabase shop) : IClassFixture<EnqueueDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_model_without_an_outbox_is_named()
    {
        using var db = new PlainContext(new DbContextOptionsBuilder().UseNpgsql("Host=none").UseEfConcurrency().Options);
        var missing = Assert.Throws<OutboxTableMissingException>(() => db.Outbox());
        Assert.Null(missing.Table);
        Assert.Contains("HasOutbox()", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_context_without_EfConcurrency_is_named()
    {
        using var db = new EnqueueContext(new DbContextOptionsBuilder<EnqueueContext>().UseNpgsql("Host=none").ReplaceService<IModelCustomizer, OutboxOnly>().Options);
        Assert.Contains("UseEfConcurrency()", Assert.Throws<InvalidOperationException>(() => db.Outbox()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("drop table efc.outbox", false, false, true)]
    [InlineData("drop table efc.outbox", false, true, true)]
    [InlineData("drop table efc.outbox", true, false, true)]
    [InlineData("drop schema efc cascade", false, false, true)]
    [InlineData("alter table efc.outbox drop column due_at", false, false, true)]
    [InlineData("drop table \"Slips\"", false, false, false)]
    public async Task A_missing_table_is_named_and_the_message_kept(string ddl, bool inTransaction, bool sync, bool isOutbox)
    {
        await using var own = await shop.CreateDatabaseAsync();
        await using var db = shop.Open(connectionString: own.ConnectionString);
        await db.Database.EnsureCreatedAsync(Token);
#pragma warning disable EF1002 // The test's own DDL.
        await db.Database.ExecuteSqlRawAsync(ddl, Token);
#pragma warning restore EF1002
        await using var transaction = inTransaction ? await db.Database.BeginTransactionAsync(Token) : null;
        db.Add(new Slip());
        db.Outbox().Enqueue(new SaleMade(1, ""));

        var exception = await Record.ExceptionAsync(async () => _ = sync ? db.SaveChanges() : await db.SaveChangesAsync(Token));

        if (isOutbox)
        {
            var missing = Assert.IsType<OutboxTableMissingException>(exception);
            Assert.Equal("efc.outbox", missing.Table);
            Assert.Contains("HasOutbox()", missing.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.IsType<DbUpdateException>(exception);
        }

        Assert.Equal(1, db.Outbox().UnsavedCount);
        if (transaction is not null)
        {
            // EF's savepoint has kept the transaction usable.
            Assert.Equal(1, await db.Database.SqlQuery<int>($"select 1 as \"Value\"").SingleAsync(Token));
        }
    }

    [Fact]
    public async Task Schema_table_and_lanes_can_be_others()
    {
        await using var own = await shop.CreateDatabaseAsync();
        var options = new DbContextOptionsBuilder().UseNpgsql(own.ConnectionString).UseEfConcurrency(o => o.UseMessages(m => m.Add<SaleMade>("sale.made.v1"))).Options;
        await using var db = new NamedContext(options);
        await db.Database.EnsureCreatedAsync(Token);
        var ids = db.Outbox().EnqueueAll(Enumerable.Range(0, 100).Select(i => new SaleMade(i, "")), m => $"{m.Id}");
        await db.SaveChangesAsync(Token);

        var lanes = await db.Set<OutboxRecord>().Select(r => r.Lane).Distinct().Order().ToListAsync(Token);
        Assert.Equal([0, 1], lanes);
        Assert.Equal(100, await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from \"My App\".\"Out box\"").SingleAsync(Token));
        Assert.Equal(100, ids.Distinct().Count());
    }

    private sealed class PlainContext(DbContextOptions options) : DbContext(options);

    private sealed class NamedContext(DbContextOptions options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.HasOutbox(o => (o.Schema, o.Table, o.Lanes) = ("My App", "Out box", 2));
    }

    private sealed class OutboxOnly(ModelCustomizerDependencies dependencies) : RelationalModelCustomizer(dependencies)
    {
        public override void Customize(ModelBuilder modelBuilder, DbContext context) => modelBuilder.HasOutbox();
    }
}
