using EfConcurrency.Outbox;
using EfConcurrency.PostgresTests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EfConcurrency.PostgresTests.Migrations;

/// <summary>Tables in partitions come and go with the model, whatever they are called.</summary>
public sealed class PartitionedTableTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("efc", "outbox")]
    [InlineData("My App", "Out box")]
    public async Task Up_down_and_up_again_make_the_partitions_and_leave_nothing_behind(string schema, string table)
    {
        var own = await database.CreateDatabaseAsync();
        await using var db = new MessagesContext(own.ConnectionString, schema, table);
        var model = db.GetService<IDesignTimeModel>().Model;
        foreach (var up in (bool[])[true, false, true, false])
        {
            await MigrateAsync(db, up ? null : model, up ? model : null);
            Assert.Equal(up ? 3 : 0, await PartitionsAsync(db, table));
            Assert.Equal(up ? 10 : 0, await PartitionsAsync(db, "inbox"));
            Assert.Equal(up, await db.Database.SqlQuery<bool>($"select exists (select from pg_namespace where nspname = {schema}) as \"Value\"").SingleAsync(Token));
        }

        await own.DisposeAsync();
    }

    [Fact]
    public async Task EnsureCreated_makes_partitions_that_take_rows_of_their_day()
    {
        var own = await database.CreateDatabaseAsync();
        await using var db = new MessagesContext(own.ConnectionString, "efc", "outbox");
        await db.Database.EnsureCreatedAsync(Token);
        await db.Database.ExecuteSqlRawAsync("insert into efc.outbox (lane, message_id, topic, type, payload) values (0, gen_random_uuid(), 't', 't', '')", Token);
        var row = await db.Set<OutboxRecord>().SingleAsync(Token);
        Assert.Equal(1, row.Id);
        Assert.NotEqual(0UL, row.TransactionId);
        await db.Database.ExecuteSqlRawAsync("insert into efc.outbox_cursor (sink, lane, snap) values ('s', 0, '1:1:')", Token);
        Assert.Equal("1:1:", (await db.Set<OutboxCursor>().SingleAsync(Token)).Snapshot);
        await own.DisposeAsync();
    }

    private static Task<int> PartitionsAsync(DbContext db, string table)
        => db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from pg_inherits i join pg_class c on c.oid = i.inhparent where c.relkind = 'p' and c.relname = {table}").SingleAsync(Token);

    private static async Task MigrateAsync(DbContext db, IModel? from, IModel? to)
    {
        var operations = db.GetService<IMigrationsModelDiffer>().GetDifferences(from?.GetRelationalModel(), to?.GetRelationalModel());
        var commands = db.GetService<IMigrationsSqlGenerator>().Generate(operations, to);
        await db.GetService<IMigrationCommandExecutor>().ExecuteNonQueryAsync(commands, db.GetService<Microsoft.EntityFrameworkCore.Storage.IRelationalConnection>(), Token);
    }

    private sealed class MessagesContext(string connectionString, string schema, string table) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder options)
            => options.UseNpgsql(connectionString).UseEfConcurrency().ReplaceService<IModelCacheKeyFactory, PerTable>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder
            .HasOutbox(o => (o.Schema, o.Table) = (schema, table))
            .HasInbox(o => o.Schema = schema);

        private sealed class PerTable : IModelCacheKeyFactory
        {
            public object Create(DbContext context, bool designTime) => (context.GetType(), ((MessagesContext)context).Table, designTime);
        }

        private string Table => table;
    }
}
